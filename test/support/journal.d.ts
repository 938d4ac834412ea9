import type { Engine } from "../../src/engine/engine.ts";
import type { TestDaemon } from "./daemon.ts";
type Steps = Readonly<Record<string, string>>;
type Place = Pick<TestDaemon, "folder">;
interface Entry {
    readonly kind: string;
    readonly container: string;
    readonly steps: Steps;
    readonly [key: string]: unknown;
}
export declare function journalFolder({ folder }: Place): string;
/** The entries of a daemon's journal at this moment. */
export declare function journalEntries(daemon: Place): Promise<Entry[]>;
/** Resolves once an operation has taken a step. */
export declare function untilStep(daemon: Place, step: string): Promise<void>;
/** Resolves once it is empty. */
export declare function untilJournalEmpty(daemon: Place): Promise<void>;
/** The first step of an operation on a container as it is now. */
export declare function identityStep(engine: Engine, name: string): Promise<Steps>;
/** Writes the journal entry of an operation that a killed daemon leaves. */
export declare function leaveOperation(daemon: Place, entry: {
    readonly kind: string;
    readonly container: string;
    readonly steps: Steps;
    readonly id?: string;
    readonly startedAt?: number;
}): Promise<string>;
export {};
