import { type MessageInitShape } from "@bufbuild/protobuf";
import { type OperationKinds } from "../../../src/daemon/operations/kinds.ts";
import { Runner } from "../../../src/daemon/operations/runner/runner.ts";
import { ManualClock } from "../manual-clock.ts";
import type { MemoryEngine } from "../memory-engine/memory-engine.ts";
import type { RecordingListener } from "./recording-listener.ts";
/** The kinds of operation on containers. */
export type Kinds = Omit<OperationKinds, "startLxd">;
export type KindName = keyof Kinds;
/** The parts of a daemon that run operations, wired as the daemon wires them, under a host that has just come. */
export declare class BenchDaemon {
    #private;
    private constructor();
    static open(folder: string, memory: MemoryEngine, host: RecordingListener): Promise<BenchDaemon>;
    /** Moved by the test, all but the time of day. */
    get clock(): ManualClock;
    get runner(): Runner;
    /** The steps that its operations wrote, in their order. */
    get steps(): readonly string[];
    begin<K extends KindName>(name: K, init: MessageInitShape<Kinds[K]["request"]>): Promise<string>;
    /** Resolves once it was killed right behind this step. */
    killAtStep(step: string): Promise<void>;
    /** Does what a daemon does for what an earlier one left, before its engine counts as running. */
    recover(): Promise<void>;
    /** Nothing of it reaches journal, engine or host any more. */
    kill(): Promise<void>;
}
