/** Milliseconds as 4 s, 1:05 or 2:03:04. */
export function durationText(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h > 0) return `${h}:${two(m)}:${two(s)}`;
  return m > 0 ? `${m}:${two(s)}` : `${s} s`;
}

/** Bytes as 512 B, 1.5 KiB or 20 GiB. */
export function bytesText(bytes: number | bigint): string {
  let value = Number(bytes);
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  while (value >= 1024 && units.length > 1) {
    value /= 1024;
    units.shift();
  }
  return `${value >= 10 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${units[0]}`;
}

/** Control characters, bidirectional controls, and what ends a line though it is no newline. */
const CONTROLS = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const CONTROLS_RUN = new RegExp(`${CONTROLS.source}+`, "gu");

/** The text with a blank in place of each run of characters that a terminal obeys, see plainText. */
export function withoutControls(text: string): string {
  return text.replace(CONTROLS_RUN, " ");
}

/**
 * The text without characters that change a terminal or the order in which it shows text: control characters,
 * bidirectional controls (https://www.unicode.org/reports/tr9/), line and paragraph separators.
 */
export function plainText(text: string): string {
  return withoutControls(text).trim();
}

/** `plainText` for each line of a text that has several; they keep their indentation. */
export function plainLines(text: string): string {
  return text
    .split("\n")
    .map((line) => `${/^ */.exec(line)?.[0]}${plainText(line)}`)
    .join("\n");
}

/**
 * JSON as one line. What JSON itself leaves in strings though a terminal obeys it is escaped as `\uXXXX`, which any
 * parser reads as the same text.
 */
export function jsonLine(document: unknown): string {
  const escaped = JSON.stringify(document).replace(
    CONTROLS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `${escaped}\n`;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}
