import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Logger } from "../../../base/logger.ts";
import type { TremplinError } from "../../../base/tremplin-error.ts";
import type { ListenerMethod, NoticeInit } from "../../notices/notice.ts";
import type { NoSteps, StepArguments, StepSchemas, StepValues } from "./steps.ts";

/** What the runner gives to an operation. */
export interface OperationContext<S extends StepSchemas = NoSteps> {
  /** Sixteen hexadecimal digits, unique for all time. */
  readonly id: string;
  /** When it was accepted. Milliseconds since 1970. */
  readonly startedAt: number;
  /** Aborts when the operation is cancelled or the daemon shuts down; the first cause is the reason. */
  readonly signal: AbortSignal;
  /**
   * Aborts only when the daemon shuts down: for work that a cancelled operation must still do. If it throws then, there
   * is no final notice, and the next daemon recovers the operation.
   */
  readonly shutdownSignal: AbortSignal;
  readonly log: Logger;
  /** The steps that are in the journal, also those from before the daemon died. A getter: do not keep the object. */
  readonly steps: StepValues<S>;
  /** Writes a step to the journal. When this has resolved the step survives any crash. */
  step(...step: StepArguments<S>): Promise<void>;
  /**
   * Says that the operation ends although it still has something to clean up. Its journal entry stays, and the runner
   * calls `recover` once more before the next engine counts as running. `container`: the name that it has by now.
   */
  owe(reason: string, container?: string): void;
  /** Sets the failure code for callers in this daemon. The host has only the sentence of the final notice. */
  setFailureCode(code: FailureCode): void;
  /** Resolves once the host has acknowledged or rejected the last progress that was yielded. Never rejects. */
  progressAcknowledged(): Promise<void>;
}

/** A failure that callers in this daemon must distinguish from others. `rollback-failed`: the container is half changed. */
export type FailureCode = "rollback-failed";

/** How an operation ended. */
export interface Outcome {
  readonly message: NoticeInit<ListenerMethod>;
  readonly failureCode: FailureCode | undefined;
}

/**
 * What interrupted an operation: it failed, it was cancelled, the engine died and is back, or the daemon died (also: an
 * owed clean-up is done later). After `daemon` a user may have worked on the container meanwhile.
 */
export type Interruption = "daemon" | "engine" | "cancel" | "failure";

/**
 * A kind of operation on one container: a generator of the contract's own progress messages that yields those in
 * progress and returns the final one. The runner does everything else. After `run` threw, for whatever reason, it calls
 * `recover`, so there is one clean-up for failures, cancels and crashes.
 */
export interface OperationKind<
  R extends DescMessage = DescMessage,
  M extends ListenerMethod = ListenerMethod,
  S extends StepSchemas = NoSteps,
> {
  /** Its name in refusals, in status and in the journal: create, start ... */
  readonly name: string;
  /** The type of the request, which the journal keeps. */
  readonly request: R;
  /** The rpc of the listener that gets its notices. */
  readonly notify: M;
  /** The steps that it writes to the journal. Names and texts stay the same from version to version. */
  readonly steps: S;
  run(
    request: MessageShape<R>,
    context: OperationContext<S>,
  ): AsyncGenerator<NoticeInit<M>, NoticeInit<M>, void>;
  /** The final message when `run` or `recover` threw; `last` is the last progress that was sent. */
  failed(request: MessageShape<R>, error: TremplinError, last?: NoticeInit<M>): NoticeInit<M>;
  /** The final message when it was cancelled. */
  cancelled(request: MessageShape<R>, cause: TremplinError, last?: NoticeInit<M>): NoticeInit<M>;
  /**
   * Cleans up after an operation that stopped anywhere. Decides by the state that it finds, acts only on the container
   * that the operation began with, and leaves it alone when a user has used it since (see container-identity.ts).
   * Returns the final message where the work turns out to be whole or where there is more to say than that it failed;
   * undefined when everything is as it was before. Throws only when it could not clean up: then the entry stays in the
   * journal, the container stays locked, and the runner tries again. Must be safe to repeat. Should be quick: nothing
   * new starts on the engine meanwhile.
   */
  recover(
    request: MessageShape<R>,
    context: OperationContext<S>,
    interruption: Interruption,
  ): Promise<NoticeInit<M> | undefined>;
  /**
   * The final message where the work is whole although the engine is gone and nothing can be cleaned up there.
   * Default: never. Calls no engine.
   */
  whole?(request: MessageShape<R>, context: OperationContext<S>): Promise<NoticeInit<M> | undefined>;
  /**
   * The sentence of a failure that the death of the daemon or the engine caused, after `recover` cleaned up: begins
   * with `cause` ("the daemon died") and ends with what to do.
   */
  interrupted(request: MessageShape<R>, cause: string): string;
  /** Merges a waiting progress message into a newer one. Default: the newer one replaces it. */
  coalesce?(older: NoticeInit<M>, newer: NoticeInit<M>): NoticeInit<M>;
}
