import type { FinalNotice, FinalNotices } from "../../notices/final-notices.ts";
import type { JournalEntry } from "../../notices/journal.ts";

/** The one end of an operation: its final notice, written once, however often a clean-up comes to an end. */
export class OperationEnd {
  readonly #entry: JournalEntry;
  readonly #finals: FinalNotices;
  readonly #explain: (obstacle: string) => void;
  #isWritten: boolean;
  /** The writing of the notice, and what resolves when that has failed once. */
  #writing: { readonly done: Promise<void>; readonly stuck: Promise<void> } | undefined;

  /** `explain` hears what keeps the notice from being written. */
  constructor(entry: JournalEntry, finals: FinalNotices, explain: (obstacle: string) => void) {
    this.#entry = entry;
    this.#finals = finals;
    this.#explain = explain;
    this.#isWritten = entry.final !== undefined;
  }

  /**
   * Writes and sends the notice; where the host has one already, takes only what is owed off the entry. Rejects when
   * the daemon ends first.
   */
  async reach(ending: Omit<FinalNotice, "onObstacle">): Promise<void> {
    if (this.#isWritten) {
      if (!ending.owed) await this.#finals.markCleanedUp(this.#entry.id);
      return;
    }
    const stuck = Promise.withResolvers<void>();
    const onObstacle = (obstacle: string): void => {
      this.#explain(obstacle);
      stuck.resolve();
    };
    const done = this.#write({ ...ending, onObstacle });
    this.#writing = { done, stuck: stuck.promise };
    await done;
  }

  /** Whether nothing is being written any more; waits for what is, unless that is stuck. */
  async isFree(): Promise<boolean> {
    if (!this.#writing || this.#isWritten) return true;
    const { done, stuck } = this.#writing;
    await Promise.race([done, stuck]).catch(() => undefined);
    return this.#isWritten;
  }

  async #write(ending: FinalNotice): Promise<void> {
    await this.#finals.end(this.#entry, ending);
    this.#isWritten = true;
  }
}
