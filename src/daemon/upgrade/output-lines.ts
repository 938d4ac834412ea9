import { stripVTControlCharacters } from "node:util";

/** A line of a notice has at most so many bytes. */
export const MAX_LINE_BYTES = 4096;
/** What may come without an end of line before it is taken for a line. In characters. */
const MAX_LINE_LENGTH = 16 * 1024;

/**
 * Cuts what a program writes into lines that can be shown anywhere: a carriage return ends a line as well,
 * escape sequences and control characters are gone, long lines are cut, blank ones left out.
 */
export class OutputLines {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** The lines that these bytes complete. */
  take(bytes: Uint8Array): string[] {
    return this.#cut(this.#decoder.decode(bytes, { stream: true }));
  }

  /** What is left when the program has ended. */
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

/** One line of plain text, of at most 4 KiB in UTF-8. */
export function plainLine(text: string): string {
  // Bounded before it is looked at: the line may be anything.
  const plain = stripVTControlCharacters(text.slice(0, MAX_LINE_LENGTH))
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .trimEnd()
    .toWellFormed();
  const bytes = Buffer.from(plain);
  if (bytes.length <= MAX_LINE_BYTES) return plain;
  // A letter that is cut through is left out.
  return `${bytes.toString("utf8", 0, MAX_LINE_BYTES - 3).replace(/\uFFFD+$/, "")}…`;
}
