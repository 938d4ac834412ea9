import { isDeepStrictEqual } from "node:util";
import { TremplinError } from "../../base/tremplin-error.ts";
import { decodeLatin1, encodeLatin1, trimAscii, trimAsciiStart } from "./lossless-text.ts";

/** The path and the line format of passwd(5), shadow(5), group(5) or gshadow(5). */
export interface AccountFormat<Entry> {
  readonly path: string;
  /** The names of the fields of a valid line, as they stand in it. Undefined: any number of fields is valid. */
  readonly form?: string;
  /** How many fields at the end may be missing. Default: none. */
  readonly optionalFields?: number;
  /** The fields that must be ids: their positions by their names. */
  readonly ids?: Readonly<Record<string, number>>;
  /** Reads as much as it can of a line that is not valid. */
  read(fields: readonly string[]): Entry;
  write(entry: Entry): readonly string[];
}

/** A line that names an account. */
interface AccountLine<Entry> {
  readonly text: string;
  readonly entry: Entry;
  /** Why the line is not valid, without its values: one may be a password. */
  readonly problem: string | undefined;
}

/** The text of a line without an account: blank, a comment, or for NIS. */
type Line<Entry> = string | AccountLine<Entry>;

/**
 * An account file of a container (docs/contract.md#accounts-in-a-container). Keeps every unchanged line and the
 * order, byte for byte, whatever it contains. Entries contain latin1 text, one character for each byte
 * (lossless-text.ts).
 *
 * Programs disagree about lines that are not valid: some skip them, some read them. So such a line is never used and
 * never changed, but what it names is taken.
 */
export class AccountFile<Entry extends { readonly name: string }> {
  readonly path: string;
  /** The content that was parsed. */
  readonly original: Uint8Array;
  readonly #format: AccountFormat<Entry>;
  #lines: Line<Entry>[];

  constructor(format: AccountFormat<Entry>, content: Uint8Array) {
    this.path = format.path;
    this.original = content;
    this.#format = format;
    this.#lines = decodeLatin1(content)
      .split("\n")
      .map((text) => this.#parse(text));
  }

  /** What the valid lines say. */
  get entries(): Entry[] {
    return this.#records.filter(({ problem }) => problem === undefined).map(({ entry }) => entry);
  }

  /** What all lines say, as far as it can be read of those that are not valid. */
  get claims(): Entry[] {
    return this.#records.map(({ entry }) => entry);
  }

  /** What is wrong with the lines that are not valid, with their numbers and without their values. */
  get problems(): string[] {
    return this.#lines.flatMap((line, index) =>
      typeof line === "string" || line.problem === undefined
        ? []
        : [`line ${index + 1} of ${this.path}: ${line.problem}`],
    );
  }

  /**
   * The entry of the first line that is wanted; programs ignore later ones. Throws `failed` if that line is not
   * valid; `what` says in the error what is wanted about it: "the uid 1000".
   */
  find(isWanted: (entry: Entry) => boolean, what: string): Entry | undefined {
    const index = this.#lines.findIndex((line) => typeof line !== "string" && isWanted(line.entry));
    const line = this.#lines[index];
    if (line === undefined || typeof line === "string") return undefined;
    if (line.problem === undefined) return line.entry;
    throw new TremplinError(
      "failed",
      `line ${index + 1} of ${this.path} has ${what} but is not valid: ${line.problem}; correct it in the container`,
    );
  }

  /** Adds a line at the end, but before lines for NIS, as useradd(8) does. */
  append(entry: Entry): void {
    const nis = this.#lines.findIndex((line) => typeof line === "string" && /^\s*[+-]/.test(line));
    if (nis < 0 && this.#lines.at(-1) !== "") this.#lines.push("");
    this.#lines.splice(nis < 0 ? -1 : nis, 0, this.#formatLine(entry));
  }

  /** Changes one field of a valid line; the others stay byte for byte. Throws `invalid` if it becomes another entry. */
  editField(entry: Entry, index: number, edit: (text: string) => string, expected: Entry): void {
    this.#lines = this.#lines.map((line) => {
      if (typeof line === "string" || line.entry !== entry) return line;
      const fields = line.text.split(":");
      fields[index] = edit(fields[index] ?? "");
      return this.#parseExpected(fields.join(":"), expected);
    });
  }

  toBytes(): Uint8Array {
    return encodeLatin1(this.#lines.map((line) => (typeof line === "string" ? line : line.text)).join("\n"));
  }

  get #records(): AccountLine<Entry>[] {
    return this.#lines.filter((line) => typeof line !== "string");
  }

  #parse(text: string): Line<Entry> {
    const content = trimAscii(text);
    if (content === "" || /^[#+-]/.test(content)) return text;
    const fields = trimAsciiStart(text).split(":");
    return { text, entry: this.#format.read(fields), problem: this.#problemOf(fields) };
  }

  #problemOf(fields: readonly string[]): string | undefined {
    const { form, optionalFields = 0, ids = {} } = this.#format;
    const count = form?.split(":").length ?? fields.length;
    if (fields.length > count || fields.length < count - optionalFields) {
      return `it has ${fields.length} fields instead of ${count} (${form})`;
    }
    const [name = ""] = fields;
    if (name === "") return "the name is empty";
    if (name !== trimAscii(name)) return "the name ends in white space";
    if (fields.some((field) => field.includes("\0"))) return "it contains a NUL byte";
    const bad = Object.entries(ids).find(([, index]) => !isId(fields[index] ?? ""));
    return bad && `the ${bad[0]} is not a number from 0 to 4294967295`;
  }

  #formatLine(entry: Entry): Line<Entry> {
    return this.#parseExpected(this.#format.write(entry).join(":"), entry);
  }

  /** Throws `invalid` unless the text is a line of that entry. */
  #parseExpected(text: string, entry: Entry): Line<Entry> {
    // Of a character above U+00FF only the low byte would be written, which can be a line feed.
    const line = /[\n\u0100-\uffff]/.test(text) ? text : this.#parse(text);
    const isSame = typeof line !== "string" && isDeepStrictEqual(line.entry, entry);
    if (isSame && line.problem === undefined) return { ...line, entry };
    throw new TremplinError("invalid", `a name with such characters cannot be written to ${this.path}`);
  }
}

/** A user or group id: decimal, unsigned, 32 bits. */
function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= 0xffffffff;
}
