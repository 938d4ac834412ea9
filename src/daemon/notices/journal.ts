import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { KeyedMutex } from "../../base/async/keyed-mutex.ts";
import { removeUnfinished, replaceFile, textOfFile } from "../../base/files/files.ts";
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

/** One operation of which the host has not heard the end yet, or which left something to clean up. */
export interface JournalEntry extends Operation {
  /** The request, as the JSON of its message. */
  readonly request: unknown;
  readonly steps: StepTexts;
  /** The final notice, once there is one: from then on the entry only waits for the host to take it. */
  readonly final?: { readonly method: string; readonly message: unknown } | undefined;
  /** Why something is left to clean up although there is a final notice. */
  readonly owed?: string | undefined;
  /** The host has taken the final notice; only what is owed keeps the entry. */
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
/** What the files of entries that could not be used end with. */
export const SET_ASIDE = ".unreadable";

/**
 * What is under way, on disk: one small file an entry, replaced whole at each change. An entry begins with
 * the operation, gets its final notice in the same write that ends it, and goes when the host has taken that and
 * nothing is left to clean up. So at any instant each accepted operation needs recovery, awaits delivery, or is done.
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
        // It may be in place and only not synced: nobody accepted this work, so nobody may recover it.
        await rm(this.#path(entry.id), { force: true });
        throw error;
      }
      this.#entries.set(entry.id, entry);
    });
  }

  /**
   * Changes an entry, or removes it where `change` answers undefined; one that is gone stays gone. Durable when it
   * resolves; when it rejects the entry is as it was.
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

  /** Everything that was left, in the order in which it began. What cannot be read is set aside, not lost. */
  async entries(): Promise<JournalEntry[]> {
    const names = (await readdir(this.#folder)).filter((name) => name.endsWith(SUFFIX));
    await Promise.all(names.map((name) => this.#read(name.slice(0, -SUFFIX.length))));
    return [...this.#entries.values()].sort(
      (a, b) => (a.order ?? 0) - (b.order ?? 0) || a.startedAt - b.startedAt,
    );
  }

  /** Sets an entry aside that this daemon cannot work with: it is kept, and nobody waits for it any more. */
  async setAside(id: string, reason: string): Promise<void> {
    const path = this.#path(id);
    this.#entries.delete(id);
    this.#log.error({ path: `${path}${SET_ASIDE}`, reason }, "an entry of the journal is set aside");
    try {
      await rename(path, `${path}${SET_ASIDE}`);
    } catch (error) {
      this.#log.error({ error, path }, "it could not be renamed and is read again at the next start");
    }
  }

  /** Entries are read once: afterwards this object knows them better than the disk. */
  async #read(id: string): Promise<void> {
    if (this.#entries.has(id)) return;
    await this.#writes.run(id, async () => {
      if (this.#entries.has(id)) return;
      const text = await this.#text(id);
      if (text === undefined) return;
      try {
        const entry = entrySchema.parse(JSON.parse(text));
        if (entry.id !== id) throw new Error(`it says that it is the entry ${entry.id}`);
        this.#entries.set(id, entry);
        this.#lastOrder = Math.max(this.#lastOrder, entry.order ?? 0);
      } catch (error) {
        this.#log.debug({ error, id }, "why the entry cannot be read");
        await this.setAside(id, "it is damaged, or another version wrote it");
      }
    });
  }

  /** Undefined where there is none, or none can be read now: that says nothing of the entry, which is left. */
  async #text(id: string): Promise<string | undefined> {
    const path = this.#path(id);
    try {
      // The host may have taken its notice since the folder was listed.
      return await textOfFile(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EISDIR") return "";
      this.#log.error(
        { error, path },
        "an entry of the journal cannot be read; it is left and read again later",
      );
      return undefined;
    }
  }

  #path(id: string): string {
    return join(this.#folder, `${id}${SUFFIX}`);
  }
}
