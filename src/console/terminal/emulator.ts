import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import { MarkLimit } from "../model/limit-marks.ts";
import { adoptStyles } from "./adopted-styles.ts";
import { onThemeChange, themeNow } from "./theme.ts";

const SCROLLBACK_LINES = 5_000;
/** Longer ones are of no use to anybody, and each line could keep many. */
const MAX_LINK_LENGTH = 2_000;

adoptStyles();

/** What is left to write before a new program: the last one may have hidden the cursor or taken the whole screen. */
const AS_AT_FIRST = "\u001b[?1049l\u001b[!p\u001b[?9;1000;1002;1003;1004;1006;2004l\u001b[0m";
const SHOW_CURSOR = "\u001b[?25h";
const HIDE_CURSOR = "\u001b[?25l";

export interface EmulatorEvents {
  readonly onTyped: (text: string) => void;
  readonly onSize: (size: Size) => void;
  /** The person wants the keyboard to go on in the page. */
  readonly onLeave: () => void;
  /** The person has chosen a link, whose text a program has written. */
  readonly onLink: (url: string) => void;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/**
 * A terminal as a person sees it. What a program writes is not trusted: it sets no title and no clipboard, and its links
 * only ask.
 */
export class Emulator {
  /** What to put into a page. */
  readonly element = document.createElement("div");
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #marks = new MarkLimit();
  #decoder = new TextDecoder();
  readonly #ignoreTheme: () => void;
  #isOpen = false;

  constructor({ onTyped, onSize, onLeave, onLink }: EmulatorEvents) {
    this.element.className = "emulator";
    this.#terminal = new Terminal({
      allowProposedApi: true,
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--font-code"),
      fontSize: innerWidth < 480 ? 12 : 14,
      lineHeight: 1.2,
      cursorBlink: false,
      minimumContrastRatio: 4.5,
      scrollback: SCROLLBACK_LINES,
      theme: themeNow(),
      linkHandler: { activate: (_event, url) => onLink(url) },
    });
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.onData(onTyped);
    this.#terminal.onResize(({ cols, rows }) => onSize({ columns: cols, rows }));
    this.#terminal.attachCustomKeyEventHandler((event) => this.#isForTerminal(event, onLeave));
    for (const title of [0, 1, 2]) this.#terminal.parser.registerOscHandler(title, () => true);
    this.#terminal.parser.registerOscHandler(8, (link) => link.length > MAX_LINK_LENGTH);
    this.element.addEventListener("paste", (event) => this.#paste(event), { capture: true });
    this.#ignoreTheme = onThemeChange(() => {
      this.#terminal.options.theme = themeNow();
    });
  }

  get size(): Size {
    return { columns: this.#terminal.cols, rows: this.#terminal.rows };
  }

  /** `name`: for screen readers. `hint`: the id of what says how to leave it. */
  showIn(place: HTMLElement, name: string, hint: string): void {
    place.append(this.element);
    if (!this.#isOpen) this.#terminal.open(this.element);
    this.#isOpen = true;
    this.#terminal.textarea?.setAttribute("aria-label", name);
    this.#terminal.textarea?.setAttribute("aria-describedby", hint);
    this.fit();
  }

  /** Takes the size of its place. */
  fit(): void {
    if (this.element.isConnected) this.#fit.fit();
  }

  focus(): void {
    this.#terminal.focus();
  }

  setReadOut(isReadOut: boolean): void {
    this.#terminal.options.screenReaderMode = isReadOut;
  }

  /** Whether a program listens to what is typed. */
  setAlive(isAlive: boolean): void {
    this.#terminal.options.disableStdin = !isAlive;
    this.element.classList.toggle("over", !isAlive);
    this.#terminal.write(isAlive ? SHOW_CURSOR : HIDE_CURSOR);
  }

  /** Calls when it has been shown. */
  write(bytes: Uint8Array, onShown: () => void): void {
    this.#terminal.write(this.#marks.limit(this.#decoder.decode(bytes, { stream: true })), onShown);
  }

  /** Makes ready for a new program, below what the last one wrote. */
  separate(): void {
    this.#decoder = new TextDecoder();
    this.#terminal.write(`${AS_AT_FIRST}\r\n\u001b[2m${"─".repeat(12)}\u001b[0m\r\n`);
  }

  dispose(): void {
    this.#ignoreTheme();
    this.#terminal.dispose();
    this.element.remove();
  }

  /** Control characters in what is pasted could end the brackets around it, and be typed as commands. */
  #paste(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopPropagation();
    this.#terminal.paste(pastable(event.clipboardData?.getData("text/plain") ?? ""));
  }

  #isForTerminal(event: KeyboardEvent, onLeave: () => void): boolean {
    const { key, ctrlKey, shiftKey, type } = event;
    const isCopy = ctrlKey && ((shiftKey && key.toLowerCase() === "c") || key === "Insert");
    const isPaste = shiftKey && ((ctrlKey && key.toLowerCase() === "v") || (!ctrlKey && key === "Insert"));
    const isLeave = ctrlKey && ((shiftKey && key === "Escape") || key === "F6");
    // The browser itself pastes.
    if (isPaste) return false;
    if (!isCopy && !isLeave) return true;
    event.preventDefault();
    if (type !== "keydown") return false;
    if (isLeave) onLeave();
    else if (this.#terminal.hasSelection()) void navigator.clipboard.writeText(this.#terminal.getSelection());
    return false;
  }
}

function pastable(text: string): string {
  return text.replace(/[^\P{Cc}\t\r\n]/gu, "");
}
