import type { OperationRecord } from "../../../src/engine/operations/operation-record.ts";
import type { MemoryEvents } from "./events.ts";
import type { Fault } from "./faults.ts";
import { type Route, type Work } from "./rest.ts";
import type { Timestamps } from "./timestamps.ts";
/** One piece of work in the background. */
export declare class MemoryOperation {
    #private;
    readonly id: `${string}-${string}-${string}-${string}-${string}`;
    mayCancel: boolean;
    constructor(work: Work, events: MemoryEvents, times: Timestamps);
    /** Resolves when it has ended. */
    get ended(): Promise<void>;
    get hasEnded(): boolean;
    view(): OperationRecord;
    update(metadata: Readonly<Record<string, unknown>>): void;
    /** Announces it, and then does the work, unless `fault` says otherwise or it was cancelled or abandoned meanwhile. */
    begin(fault: Fault | undefined): void;
    /** An engine that dies forgets it: it changes nothing any more, and no event reports it. */
    abandon(): void;
    cancel(): void;
}
/** All operations since the engine began, also those that ended. */
export declare class MemoryOperations {
    #private;
    constructor(events: MemoryEvents, times: Timestamps);
    start(work: Work, fault: Fault | undefined): MemoryOperation;
    /** The one with this id. Throws the API's 404. */
    get(id: string | undefined): MemoryOperation;
    abandonAll(): void;
    routes(): Route[];
}
