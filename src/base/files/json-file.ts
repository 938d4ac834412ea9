import { randomBytes } from "node:crypto";
import { link, readFile, rename, rm } from "node:fs/promises";
import type * as z from "zod";
import type { Logger } from "../logger.ts";
import { errorMessage } from "../tremplin-error.ts";
import { canAccess, replaceFile } from "./files.ts";

/** The suffix of a damaged file that was set aside. */
export const SET_ASIDE = ".unreadable";

/** Where damaged files are reported. */
export type ErrorLog = Pick<Logger, "error">;

/** A file of state whose content is damaged, or was written by another version. */
export class DamagedFileError extends Error {}

interface Options<Schema extends z.ZodType> {
  readonly path: string;
  readonly schema: Schema;
  /** What the program does when the content is damaged, as a clause: "ports are assigned to no container". */
  readonly without: string;
}

/**
 * A small file of JSON that this program keeps for itself. It is replaced as a whole, so a crash cannot tear it; what
 * something else damaged is set aside and counts as missing.
 */
export class JsonFile<Schema extends z.ZodType> {
  readonly path: string;
  readonly without: string;
  readonly #schema: Schema;

  constructor({ path, schema, without }: Options<Schema>) {
    this.path = path;
    this.#schema = schema;
    this.without = without;
  }

  /**
   * Undefined where there is no file. Throws a DamagedFileError for content that is not of the schema, and the error of
   * the system for a file that cannot be read now, which may be whole.
   */
  async read(): Promise<z.output<Schema> | undefined> {
    const bytes = await bytesOf(this.path);
    return bytes && parseJson(bytes, this.#schema);
  }

  /** Like read(), but a damaged file is set aside, logged, and counts as missing. */
  async readOrSetAside(log: ErrorLog): Promise<z.output<Schema> | undefined> {
    try {
      return await this.read();
    } catch (error) {
      if (!(error instanceof DamagedFileError)) throw error;
      await setAside(this.path, `${error.message}; ${this.without}`, log);
      return undefined;
    }
  }

  /**
   * Like readOrSetAside(), but the value for the path under which it is kept takes the place of a damaged file at once.
   * For files whose absence means that there was nothing: a kill after setting aside would make the next reader think so.
   */
  async readOrReplace(
    log: ErrorLog,
    valueFor: (kept: string) => Promise<z.input<Schema>> | z.input<Schema>,
  ): Promise<z.output<Schema> | undefined> {
    try {
      return await this.read();
    } catch (error) {
      if (!(error instanceof DamagedFileError)) throw error;
      const textFor = async (kept: string) => JSON.stringify(await valueFor(kept));
      await setAside(this.path, `${error.message}; ${this.without}`, log, textFor);
      return await this.read();
    }
  }

  /** Durable when it resolves. */
  async write(value: z.input<Schema>): Promise<void> {
    await replaceFile(this.path, JSON.stringify(value));
  }

  /** Like write(), but leaves a file that has the value already untouched: on a full disk that still succeeds. */
  async writeIfChanged(value: z.input<Schema>): Promise<void> {
    const text = JSON.stringify(value);
    const before = await readFile(this.path, "utf8").catch(() => undefined);
    if (before !== text) await replaceFile(this.path, text);
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

/** The value in the JSON of a file. Throws a DamagedFileError that says what is wrong. */
export function parseJson<Schema extends z.ZodType>(bytes: Buffer, schema: Schema): z.output<Schema> {
  if (bytes.length === 0) throw new DamagedFileError("it is empty");
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new DamagedFileError("it is not JSON", { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map(({ path }) => path.join(".")).filter((place) => place !== "");
  const where = places.length > 0 ? ` at ${places.slice(0, 3).join(", ")}` : "";
  throw new DamagedFileError(`its content is not what this version writes${where}`, { cause: parsed.error });
}

/**
 * Renames a file so that it is kept and harms nothing, and logs it. `PATH.unreadable.reason` has the reason for those
 * who list such files. With `replacement`, its text for the path under which the file is kept takes the place of the
 * file; a kill leaves one of both there. Returns that path.
 */
export async function setAside(
  file: string,
  reason: string,
  log: ErrorLog,
  replacement?: (kept: string) => Promise<string>,
): Promise<string> {
  const first = `${file}${SET_ASIDE}`;
  const kept = (await canAccess(first)) ? `${file}.${randomBytes(3).toString("hex")}${SET_ASIDE}` : first;
  if (replacement) {
    const text = await replacement(kept);
    // A folder has no second name, and some file systems have none for files.
    await link(file, kept).catch(() => rename(file, kept));
    await replaceFile(file, text);
  } else {
    await rename(file, kept);
  }
  log.error({ file, kept, reason }, "a damaged file of the state folder was set aside");
  // Without it the reason is only in the log.
  await replaceFile(`${kept}.reason`, `${reason}\n`).catch(() => undefined);
  return kept;
}

async function bytesOf(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "EISDIR") throw new DamagedFileError(`${errorMessage(error)}`);
    throw error;
  }
}
