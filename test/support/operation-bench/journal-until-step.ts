import { TremplinError } from "../../../src/base/tremplin-error.ts";
import type { Journal, JournalEntry } from "../../../src/daemon/notices/journal.ts";

/** Stands for the acceptance of an operation where the name of a step is expected. */
const ACCEPTED = "accepted";

/** A journal whose daemon can be killed right behind a step: from then on nothing is written. */
export class JournalUntilStep {
  readonly #journal: Journal;
  readonly #seen: string[] = [];
  #last: { readonly step: string; readonly kill: () => void } | undefined;
  #isClosed = false;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** The same to all who write to it or read it. */
  get asJournal(): Journal {
    const { begin, change, entries, setAside } = this;
    return { begin, change, entries, setAside } as unknown as Journal;
  }

  /** All steps that were written, in their order. */
  get steps(): readonly string[] {
    return this.#seen;
  }

  /** Calls `kill` as soon as this step is on the disk; the operation that wrote it does not go on. */
  endAt(step: string, kill: () => void): void {
    this.#last = { step, kill };
  }

  /** Nothing is written any more. */
  close(): void {
    this.#isClosed = true;
  }

  readonly begin = async (entry: JournalEntry): Promise<void> => {
    this.#checkOpen();
    await this.#journal.begin(entry);
    this.#reached([ACCEPTED]);
  };

  readonly change: Journal["change"] = async (id, change) => {
    this.#checkOpen();
    let added: string[] = [];
    await this.#journal.change(id, (entry) => {
      this.#checkOpen();
      const changed = change(entry);
      added = Object.keys(changed?.steps ?? {}).filter((step) => changed?.steps[step] !== entry.steps[step]);
      return changed;
    });
    this.#reached(added);
    if (added.length > 0) this.#checkOpen();
  };

  readonly entries = (): Promise<JournalEntry[]> => this.#journal.entries();

  readonly setAside: Journal["setAside"] = (id, reason) => this.#journal.setAside(id, reason);

  #reached(steps: readonly string[]): void {
    this.#seen.push(...steps);
    if (this.#last && steps.includes(this.#last.step)) this.#last.kill();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new TremplinError("failed", "the daemon was killed");
  }
}
