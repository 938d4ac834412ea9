import type { Logger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";

export interface MissingItem {
  readonly reason: string;
  /** Whether no later reset can restore it either: it is reported until a person deletes the old database. */
  readonly lasting: boolean;
}

/** What a new database lacks, by label (`labelOf`). */
export type MissingItems = ReadonlyMap<string, MissingItem>;

/** Runs the restores of single items and records those that failed, so that one failure does not stop the others. */
export class RestoreLog {
  readonly signal: AbortSignal;
  readonly #log: Logger;
  readonly #missing = new Map<string, MissingItem>();

  constructor({ log, signal }: { readonly log: Logger; readonly signal: AbortSignal }) {
    this.#log = log;
    this.signal = signal;
  }

  get missing(): MissingItems {
    return this.#missing;
  }

  /** Throws only when the engine is gone or the daemon shuts down: then the whole restore is repeated. */
  async attempt(label: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (thrown) {
      this.signal.throwIfAborted();
      const error = TremplinError.from(thrown);
      if (error.code === "unavailable") throw error;
      this.#log.error({ error, what: label }, "an item of the old database cannot be restored");
      this.note(label, error.message);
    }
  }

  note(label: string, reason: string, { lasting = false } = {}): void {
    this.#missing.set(label, { reason, lasting });
  }
}
