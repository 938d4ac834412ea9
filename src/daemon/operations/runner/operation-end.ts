import type { FinalNotice, FinalNotices } from "../../notices/final-notices.ts";
import type { JournalEntry } from "../../notices/journal.ts";

/** The end of an operation. Its final notice is written once, however often its clean-up is repeated. */
export class OperationEnd {
  readonly #entry: JournalEntry;
  readonly #finals: FinalNotices;
  readonly #onObstacle: (obstacle: string) => void;
  #isWritten: boolean;
  /** Resolves when the notice is written, and when it could not be written at the first try. */
  #writing: { readonly done: Promise<void>; readonly stuck: Promise<void> } | undefined;

  constructor(entry: JournalEntry, finals: FinalNotices, onObstacle: (obstacle: string) => void) {
    this.#entry = entry;
    this.#finals = finals;
    this.#onObstacle = onObstacle;
    this.#isWritten = entry.final !== undefined;
  }

  /**
   * Writes and sends the final notice. If one is written already, only clears the debt of the entry. Rejects when the
   * daemon shuts down first.
   */
  async reach(final: Omit<FinalNotice, "onObstacle">): Promise<void> {
    if (this.#isWritten) {
      if (!final.owed) await this.#finals.markCleanedUp(this.#entry.id);
      return;
    }
    const stuck = Promise.withResolvers<void>();
    const onObstacle = (obstacle: string): void => {
      this.#onObstacle(obstacle);
      stuck.resolve();
    };
    const done = this.#write({ ...final, onObstacle });
    this.#writing = { done, stuck: stuck.promise };
    await done;
  }

  /** Whether no notice is being written. Waits for the one that is, unless the first try to write it failed. */
  async isFree(): Promise<boolean> {
    if (!this.#writing || this.#isWritten) return true;
    const { done, stuck } = this.#writing;
    await Promise.race([done, stuck]).catch(() => undefined);
    return this.#isWritten;
  }

  async #write(final: FinalNotice): Promise<void> {
    await this.#finals.end(this.#entry, final);
    this.#isWritten = true;
  }
}
