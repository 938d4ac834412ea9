import type { Logger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";

export interface Lack {
  readonly reason: string;
  /** Whether no later reset can bring it either, so that it is named until a person lets go of the old database. */
  readonly lasting: boolean;
}

/** Which things a new database lacks, by what a person calls them. */
export type Missing = ReadonlyMap<string, Lack>;

/** Restores one thing after another; what fails is noted, and the others go on. */
export class Restoring {
  readonly signal: AbortSignal;
  readonly #log: Logger;
  readonly #missing = new Map<string, Lack>();

  constructor({ log, signal }: { readonly log: Logger; readonly signal: AbortSignal }) {
    this.#log = log;
    this.signal = signal;
  }

  get missing(): Missing {
    return this.#missing;
  }

  /** Throws only when the engine is gone or the daemon ends: then all of it is done again. */
  async attempt(label: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (thrown) {
      this.signal.throwIfAborted();
      const error = TremplinError.from(thrown);
      if (error.code === "unavailable") throw error;
      this.#log.error({ error, what: label }, "something of the old database cannot be restored");
      this.note(label, error.message);
    }
  }

  note(label: string, reason: string, { lasting = false } = {}): void {
    this.#missing.set(label, { reason, lasting });
  }
}
