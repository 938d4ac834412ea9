import * as z from "zod";
import { type Logger } from "../../src/base/logger.ts";
import { ContainerStopProgress_Status as Status, StopContainerRequestSchema } from "../../src/contract/tremplin_pb.js";
import type { Notice } from "../../src/daemon/notices/notice.ts";
import type { OperationContext, OperationKind } from "../../src/daemon/operations/runner/operation.ts";
import type { Runner } from "../../src/daemon/operations/runner/runner.ts";
declare const steps: {
    aside: z.ZodString;
    saved: z.ZodCodec<z.ZodString, z.ZodLiteral<true>>;
};
export type StopKind = OperationKind<typeof StopContainerRequestSchema, "updateStopStatus", typeof steps>;
export type StopContext = OperationContext<typeof steps>;
type StopNotice = Notice<"updateStopStatus">;
/** Of the container c1. */
export declare const request: import("../../src/contract/tremplin_pb.js").StopContainerRequest;
/** A kind of operation that the test defines. */
export declare function kindOf(run: StopKind["run"], recover?: StopKind["recover"]): StopKind;
/** A state folder for one daemon after the other, and the notices that the host acknowledged from all of them. */
export declare function runnerState(): Promise<{
    /** The folder of the journal. */
    path: string;
    isHostUnreachable: boolean;
    engineAnswers: boolean;
    acknowledged: {
        readonly id: string;
        readonly notice: StopNotice;
    }[];
    statuses: () => Status[];
    reason: () => string | undefined;
    /** Resolves once the host has acknowledged so many notices. */
    notices(count: number): Promise<void>;
    daemon(kind: StopKind, log?: Logger): Promise<{
        runner: Runner;
        finals: import("../../src/daemon/notices/final-notices.ts").FinalNotices;
        rejected: import("../../src/daemon/notices/rejected-notices.ts").RejectedNotices;
        clock: import("./manual-clock.ts").ManualClock;
        journal: import("../../src/daemon/notices/journal.ts").Journal;
        [Symbol.asyncDispose](): Promise<void>;
        stop: () => Promise<void>;
    }>;
    /** Stops the daemons before the folder goes. */
    [Symbol.asyncDispose](): Promise<void>;
}>;
/** Resolves once nobody holds the lock of the container c1. */
export declare function released({ locks }: Runner): Promise<void>;
/** Resolves once the lock of the container c1 has that obstacle. */
export declare function obstacleOf({ locks }: Runner, obstacle: RegExp): Promise<void>;
export {};
