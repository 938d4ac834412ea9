import { stripVTControlCharacters } from "node:util";
import { withoutControls } from "../../base/text.ts";
import { withoutCredentials } from "../../base/without-credentials.ts";

/** The maximum length of a line in a notice, in UTF-8. */
export const MAX_LINE_BYTES = 4096;
/** Longer output without a line end is split here. */
const MAX_LINE_LENGTH = 16 * 1024;

/**
 * Splits the output of a program into lines that can be shown anywhere: a carriage return also ends a line, escape
 * sequences, control characters and bidirectional controls are removed, long lines are cut, blank lines are skipped.
 */
export class OutputLines {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** Returns the lines that these bytes complete. */
  take(bytes: Uint8Array): string[] {
    return this.#cut(this.#decoder.decode(bytes, { stream: true }));
  }

  /** Returns the last line when the program has ended. */
  end(): string[] {
    return this.#cut(`${this.#decoder.decode()}\n`);
  }

  #cut(text: string): string[] {
    const pieces = (this.#rest + text).split(/[\r\n]/);
    this.#rest = pieces.pop() ?? "";
    if (this.#rest.length > MAX_LINE_LENGTH) {
      pieces.push(this.#rest);
      this.#rest = "";
    }
    return pieces.map(plainLine).filter((line) => line !== "");
  }
}

/** One line of plain text without passwords in URIs, of at most 4 KiB in UTF-8. */
export function plainLine(text: string): string {
  // Bounded first: the line is untrusted.
  const visible = withoutControls(stripVTControlCharacters(text.slice(0, MAX_LINE_LENGTH))).trimEnd();
  const plain = withoutCredentials(visible).toWellFormed();
  const bytes = Buffer.from(plain);
  if (bytes.length <= MAX_LINE_BYTES) return plain;
  // Removes a character that was cut in half.
  return `${bytes.toString("utf8", 0, MAX_LINE_BYTES - 3).replace(/\uFFFD+$/, "")}…`;
}

/** Names that a container gave, for a sentence: at most `max`, and how many more there are. */
export function joinNames(names: readonly string[], max = 8): string {
  const plain = names.slice(0, max).map((name) => plainLine(name.slice(0, 80)));
  return `${plain.join(", ")}${names.length > max ? ` and ${names.length - max} more` : ""}`;
}
