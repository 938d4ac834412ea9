export type { ReceivedMessage } from "./operation-bench/recording-listener.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Engine } from "../../src/engine/engine.ts";
import { ContainerActions } from "./container-actions.ts";
import { MemoryEngine } from "./memory-engine/memory-engine.ts";
import { BenchDaemon, type KindName, type Kinds } from "./operation-bench/bench-daemon.ts";
import { type ReceivedMessage, RecordingListener } from "./operation-bench/recording-listener.ts";
type RequestOf<K extends KindName> = MessageInitShape<Kinds[K]["request"]>;
/** The notices of one operation, as the host received them. */
export interface Outcome {
    readonly progress: readonly ReceivedMessage[];
    readonly final: ReceivedMessage;
}
/**
 * Runs operations of all kinds by the real runner, journal and notice queue, with an engine in memory and a host that
 * records. Its daemon can be killed at any instant; the next one works in the same folder.
 */
export declare class OperationBench implements AsyncDisposable {
    #private;
    readonly engine: MemoryEngine;
    /** A person's client of the engine. */
    readonly client: Engine;
    readonly actions: ContainerActions;
    readonly host: RecordingListener;
    private constructor();
    static open(): Promise<OperationBench>;
    /** The folder that host and guest share. */
    get shared(): string;
    get state(): string;
    /** The daemon of now. */
    get daemon(): BenchDaemon;
    /** Begins an operation; gives its id. */
    begin<K extends KindName>(kind: K, request: RequestOf<K>): Promise<string>;
    /** Begins an operation and waits for its end. */
    run<K extends KindName>(kind: K, request: RequestOf<K>): Promise<Outcome>;
    /** Cancels the operation on a container. */
    cancel(kind: KindName, container?: string): void;
    /** The notices of an operation, once it has ended and its journal entry is gone, or only owes something. */
    outcome(id: string): Promise<Outcome>;
    /** The debts of all operations, from the journal. */
    owed(): Promise<(string | undefined)[]>;
    /** The steps that the journal has of an operation. */
    steps(id: string): Promise<string[]>;
    /** The daemon is gone at once: nothing of it reaches journal, engine or host any more. */
    kill(): Promise<void>;
    /** The next daemon; it has recovered what was left when this resolves. */
    restart(): Promise<void>;
    /** As if the daemon died: the operation begins, and the daemon is killed as soon as it has written this step. */
    beginUntilStep<K extends KindName>(kind: K, step: string, request: RequestOf<K>): Promise<string>;
    [Symbol.asyncDispose](): Promise<void>;
}
/** Lets everything else of this program go on, again and again, until something is so. */
export declare function until(isSo: () => boolean | Promise<boolean>): Promise<void>;
/** Lets everything else of this program go on. */
export declare function nextTurn(): Promise<void>;
