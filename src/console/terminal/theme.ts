import type { ITheme } from "@xterm/xterm";

const light: ITheme = {
  black: "#1d2420",
  red: "#a8302a",
  green: "#2c6e2f",
  yellow: "#7a5200",
  blue: "#1f5aa8",
  magenta: "#8a3a86",
  cyan: "#0f6b60",
  white: "#7b857e",
  brightBlack: "#58625b",
  brightRed: "#c23b33",
  brightGreen: "#347d37",
  brightYellow: "#8d6100",
  brightBlue: "#2a6bc4",
  brightMagenta: "#a2489d",
  brightCyan: "#12796d",
  brightWhite: "#a3aea7",
};

const dark: ITheme = {
  black: "#323a35",
  red: "#ff9c92",
  green: "#9bd58c",
  yellow: "#f0cd7f",
  blue: "#8ebcf5",
  magenta: "#e0a3dc",
  cyan: "#5cc9b5",
  white: "#cfd6d1",
  brightBlack: "#7b857e",
  brightRed: "#ffb8b0",
  brightGreen: "#b5e5a8",
  brightYellow: "#f7dfa8",
  brightBlue: "#b3d3fa",
  brightMagenta: "#edc3ea",
  brightCyan: "#8adccd",
  brightWhite: "#ffffff",
};

const darkness = matchMedia("(prefers-color-scheme: dark)");

/** The colours of the pages, and sixteen for programs that go with them. */
export function themeNow(): ITheme {
  const page = getComputedStyle(document.documentElement);
  const colour = (name: string): string => page.getPropertyValue(name).trim();
  return {
    ...(darkness.matches ? dark : light),
    foreground: colour("--ink"),
    background: colour("--surface"),
    cursor: colour("--accent"),
    cursorAccent: colour("--surface"),
    selectionBackground: colour("--accent"),
    selectionForeground: colour("--on-accent"),
    scrollbarSliderBackground: colour("--line-strong"),
    scrollbarSliderHoverBackground: colour("--ink-quiet"),
    scrollbarSliderActiveBackground: colour("--ink-quiet"),
  };
}

/** Calls whenever the colours of the pages have changed. Returns how to stop that. */
export function onThemeChange(call: () => void): () => void {
  darkness.addEventListener("change", call);
  return () => darkness.removeEventListener("change", call);
}
