import { isDeepStrictEqual } from "node:util";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import { decodeLatin1, encodeLatin1, trimAscii } from "./lossless-text.ts";

/** The path and the line format of passwd(5), shadow(5), group(5) or gshadow(5). */
export interface AccountFormat<Entry> {
  readonly path: string;
  /** Number of colon-separated fields in a line. */
  readonly fieldCount: number;
  /** Throws a TremplinError with the name of the field, never with its value: it may be a password. */
  read(fields: readonly string[]): Entry;
  write(entry: Entry): readonly string[];
}

/** A line with an entry, or the text of a line without one: blank, a comment, or for NIS. */
type Line<Entry> = string | { readonly text: string; readonly entry: Entry };

/**
 * An account file of a container (docs/contract.md#accounts-in-a-container). Keeps every unchanged line and the
 * order, byte for byte. Entries contain latin1 text, one character for each byte (lossless-text.ts).
 */
export class AccountFile<Entry extends { readonly name: string }> {
  readonly path: string;
  /** The content that was parsed. */
  readonly original: Uint8Array;
  readonly #format: AccountFormat<Entry>;
  #lines: Line<Entry>[];

  /** Throws `failed` with the number of a malformed line. */
  constructor(format: AccountFormat<Entry>, content: Uint8Array) {
    this.path = format.path;
    this.original = content;
    this.#format = format;
    this.#lines = decodeLatin1(content)
      .split("\n")
      .map((text, index) => this.#parseNumbered(text, index + 1));
  }

  get entries(): Entry[] {
    return this.#lines.flatMap((line) => (typeof line === "string" ? [] : [line.entry]));
  }

  /** The first entry with that name; programs ignore later ones. */
  find(name: string): Entry | undefined {
    return this.entries.find((entry) => entry.name === name);
  }

  /** Adds a line at the end, but before lines for NIS, as useradd(8) does. */
  append(entry: Entry): void {
    const nis = this.#lines.findIndex((line) => typeof line === "string" && /^\s*[+-]/.test(line));
    if (nis < 0 && this.#lines.at(-1) !== "") this.#lines.push("");
    this.#lines.splice(nis < 0 ? -1 : nis, 0, this.#formatLine(entry));
  }

  replace(old: Entry, entry: Entry): void {
    const line = this.#formatLine(entry);
    this.#lines = this.#lines.map((each) => (typeof each !== "string" && each.entry === old ? line : each));
  }

  toBytes(): Uint8Array {
    return encodeLatin1(this.#lines.map((line) => (typeof line === "string" ? line : line.text)).join("\n"));
  }

  #parseNumbered(text: string, number: number): Line<Entry> {
    try {
      return this.#parse(text);
    } catch (error) {
      const sentence = `line ${number} of ${this.path} is not valid: ${errorMessage(error)}`;
      throw new TremplinError("failed", `${sentence}; correct it in the container (pwck, grpck)`, error);
    }
  }

  #parse(text: string): Line<Entry> {
    const content = trimAscii(text);
    if (content === "" || /^[#+-]/.test(content)) return text;
    const fields = content.split(":", this.#format.fieldCount + 1);
    if (fields.length !== this.#format.fieldCount) {
      throw new TremplinError("failed", `it must have ${this.#format.fieldCount} fields`);
    }
    if (fields[0] === "") throw new TremplinError("failed", "the name is empty");
    return { text, entry: this.#format.read(fields) };
  }

  /** The line of a new entry. Throws `invalid` if parsing it would not give the same entry. */
  #formatLine(entry: Entry): Line<Entry> {
    const text = this.#format.write(entry).join(":");
    // Of a character above U+00FF only the low byte would be written, which can be a line feed.
    const line = /[\n\u0100-\uffff]/.test(text) ? text : this.#parse(text);
    if (typeof line !== "string" && isDeepStrictEqual(line.entry, entry)) return { text, entry };
    throw new TremplinError("invalid", `a name with such characters cannot be written to ${this.path}`);
  }
}
