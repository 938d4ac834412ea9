import type { Journal, JournalEntry } from "../../../src/daemon/notices/journal.ts";
/** A journal whose daemon can be killed right behind a step: from then on nothing is written. */
export declare class JournalUntilStep {
    #private;
    constructor(journal: Journal);
    /** The same to all who write to it or read it. */
    get asJournal(): Journal;
    /** All steps that were written, in their order. */
    get steps(): readonly string[];
    /** Calls `kill` as soon as this step is on the disk; the operation that wrote it does not go on. */
    endAt(step: string, kill: () => void): void;
    /** Nothing is written any more. */
    close(): void;
    readonly begin: (entry: JournalEntry) => Promise<void>;
    readonly change: Journal["change"];
    readonly entries: () => Promise<JournalEntry[]>;
    readonly setAside: Journal["setAside"];
}
