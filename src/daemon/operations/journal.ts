import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { replaceFile } from "../../base/durable-file.ts";
import type { Logger } from "../../base/logger.ts";
import { textOfFile } from "../../base/text-of-file.ts";
import type { Operation, Steps } from "./operation.ts";

/** One piece of work that the host has not heard the end of yet. */
export interface JournalEntry extends Operation {
  /** The request, as the JSON of its message. */
  readonly request: unknown;
  readonly steps: Steps;
  /** The final notice, once there is one: from then on the entry only waits for the host to take it. */
  readonly final?: { readonly method: string; readonly message: unknown } | undefined;
}

const entrySchema: z.ZodType<JournalEntry> = z.object({
  id: z.string(),
  kind: z.string(),
  container: z.string(),
  startedAt: z.number(),
  request: z.unknown(),
  steps: z.record(z.string(), z.string()),
  final: z.object({ method: z.string(), message: z.unknown() }).optional(),
});

/**
 * What is under way, on disk: one small file an entry, replaced whole at each change. An entry begins with
 * the operation, gets its final notice in the same write that ends it, and goes when the host has taken that.
 * So at any instant each accepted operation is either to be recovered, or to be told, or done.
 */
export class Journal {
  readonly #folder: string;
  readonly #log: Logger;

  private constructor(folder: string, log: Logger) {
    this.#folder = folder;
    this.#log = log;
  }

  static async open(folder: string, log: Logger): Promise<Journal> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new Journal(folder, log);
  }

  /** Durable when it resolves. */
  write(entry: JournalEntry): Promise<void> {
    return replaceFile(this.#path(entry.id), `${JSON.stringify(entry)}\n`);
  }

  async remove(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
  }

  /** Everything that was left, oldest first. What cannot be read is set aside, not lost. */
  async entries(): Promise<JournalEntry[]> {
    const names = (await readdir(this.#folder)).filter((name) => name.endsWith(".json"));
    const entries = await Promise.all(names.map((name) => this.#read(join(this.#folder, name))));
    return entries.filter((entry) => entry !== undefined).sort((a, b) => a.startedAt - b.startedAt);
  }

  async #read(path: string): Promise<JournalEntry | undefined> {
    const text = await textOfFile(path);
    // The host took its notice since the folder was listed.
    if (text === undefined) return undefined;
    try {
      return entrySchema.parse(JSON.parse(text));
    } catch (error) {
      this.#log.error({ error, path }, "a journal entry cannot be read; it is set aside");
      await rename(path, `${path}.unreadable`);
      return undefined;
    }
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.json`);
  }
}
