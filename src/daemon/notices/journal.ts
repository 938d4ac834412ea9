import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { KeyedMutex } from "../../base/async/keyed-mutex.ts";
import { removeUnfinished, replaceFile } from "../../base/files/files.ts";
import { parseJson, SET_ASIDE } from "../../base/files/json-file.ts";
import type { Logger } from "../../base/logger.ts";

/** An operation under way. */
export interface Operation {
  /** Sixteen hexadecimal digits, unique for all time. */
  readonly id: string;
  readonly kind: string;
  /** Empty for work on the engine itself. */
  readonly container: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** The steps of an operation as they are on disk: name to text. The kind of operation knows their types. */
export type StepTexts = Readonly<Record<string, string>>;

/** An operation whose final notice the host has not answered yet, or which owes a clean-up. */
export interface JournalEntry extends Operation {
  /** The request, as the JSON of its message. */
  readonly request: unknown;
  readonly steps: StepTexts;
  /** The final notice, once there is one: from then on the entry only waits for the host's answer. */
  readonly final?: { readonly method: string; readonly message: unknown } | undefined;
  /** Why something is left to clean up although there is a final notice. */
  readonly owed?: string | undefined;
  /** The host has acknowledged or rejected the final notice; only the debt keeps the entry. */
  readonly delivered?: boolean | undefined;
  /** Counts up from entry to entry, whatever the clock does. Given by the journal; older versions gave none. */
  readonly order?: number | undefined;
}

const entrySchema: z.ZodType<JournalEntry> = z.looseObject({
  id: z.string().regex(/^[0-9a-z-]{1,64}$/i),
  kind: z.string(),
  container: z.string(),
  startedAt: z.number(),
  request: z.unknown(),
  steps: z.record(z.string(), z.string()),
  final: z.looseObject({ method: z.string(), message: z.unknown() }).optional(),
  owed: z.string().optional(),
  delivered: z.boolean().optional(),
  order: z.number().optional(),
});

const SUFFIX = ".json";

/**
 * The durable record of operations: one small file an entry, replaced whole at each change. An entry begins with its
 * operation, gets the final notice in the same write that ends it, and goes when the host has answered the notice and
 * no clean-up is owed. So at any instant each accepted operation needs recovery, awaits delivery, or is done.
 */
export class Journal {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #entries = new Map<string, JournalEntry>();
  readonly #writes = new KeyedMutex();
  #lastOrder = 0;

  private constructor(folder: string, log: Logger) {
    this.#folder = folder;
    this.#log = log;
  }

  static async open(folder: string, log: Logger): Promise<Journal> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await removeUnfinished(folder);
    return new Journal(folder, log);
  }

  /** Begins an entry. Durable when it resolves; when it rejects there is none. */
  begin(begun: JournalEntry): Promise<void> {
    const entry = { ...begun, order: ++this.#lastOrder };
    return this.#writes.run(entry.id, async () => {
      try {
        await replaceFile(this.#path(entry.id), `${JSON.stringify(entry)}\n`);
      } catch (error) {
        // The file may be there, only not synced. The operation was not accepted, so it must not be recovered.
        await rm(this.#path(entry.id), { force: true });
        throw error;
      }
      this.#entries.set(entry.id, entry);
    });
  }

  /**
   * Changes an entry, or removes it where `change` returns undefined. Does nothing for an entry that is gone. Durable
   * when it resolves; when it rejects the entry is unchanged.
   */
  change(id: string, change: (entry: JournalEntry) => JournalEntry | undefined): Promise<void> {
    return this.#writes.run(id, async () => {
      const entry = this.#entries.get(id);
      if (!entry) return;
      const changed = change(entry);
      if (changed) {
        await replaceFile(this.#path(id), `${JSON.stringify(changed)}\n`);
        this.#entries.set(id, changed);
      } else {
        await rm(this.#path(id), { force: true });
        this.#entries.delete(id);
      }
    });
  }

  /** All entries, in the order in which they began. Sets aside those that cannot be read. */
  async entries(): Promise<JournalEntry[]> {
    const names = (await readdir(this.#folder)).filter((name) => name.endsWith(SUFFIX));
    await Promise.all(names.map((name) => this.#read(name.slice(0, -SUFFIX.length))));
    return [...this.#entries.values()].sort(
      (a, b) => (a.order ?? 0) - (b.order ?? 0) || a.startedAt - b.startedAt,
    );
  }

  /** Renames the file of an entry that this daemon cannot work with, so that it stays on disk and blocks nothing. */
  async setAside(id: string, reason: string): Promise<void> {
    const path = this.#path(id);
    this.#entries.delete(id);
    this.#log.error({ path: `${path}${SET_ASIDE}`, reason }, "set aside an entry of the journal");
    try {
      await rename(path, `${path}${SET_ASIDE}`);
    } catch (error) {
      this.#log.error({ error, path }, "an entry could not be renamed; the next daemon reads it again");
    }
  }

  /** Reads an entry once: afterwards the copy in memory is the newer one. */
  async #read(id: string): Promise<void> {
    if (this.#entries.has(id)) return;
    await this.#writes.run(id, async () => {
      if (this.#entries.has(id)) return;
      const bytes = await this.#bytes(id);
      if (bytes === undefined) return;
      try {
        const entry = parseJson(bytes, entrySchema);
        if (entry.id !== id) throw new Error(`it says that it is the entry ${entry.id}`);
        this.#entries.set(id, entry);
        this.#lastOrder = Math.max(this.#lastOrder, entry.order ?? 0);
      } catch (error) {
        this.#log.debug({ error, id }, "an entry of the journal is not valid");
        await this.setAside(id, "it is damaged, or another version wrote it");
      }
    });
  }

  /** Undefined where there is no file, and where it cannot be read now: then it stays as it is. */
  async #bytes(id: string): Promise<Buffer | undefined> {
    const path = this.#path(id);
    try {
      return await readFile(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // The host may have answered its notice since the folder was listed.
      if (code === "ENOENT") return undefined;
      if (code === "EISDIR") return Buffer.alloc(0);
      this.#log.error({ error, path }, "an entry of the journal cannot be read; it is read again later");
      return undefined;
    }
  }

  #path(id: string): string {
    return join(this.#folder, `${id}${SUFFIX}`);
  }
}
