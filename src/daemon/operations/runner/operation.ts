import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Logger } from "../../../base/logger.ts";
import type { TremplinError } from "../../../base/tremplin-error.ts";
import type { Steps } from "../../notices/journal.ts";
import type { ListenerMethod, NoticeInit } from "../../notices/notice.ts";

/** What the runner gives to an operation. */
export interface OperationContext {
  /** Sixteen hexadecimal digits, unique for all time. */
  readonly id: string;
  /** When it was accepted. Milliseconds since 1970. */
  readonly startedAt: number;
  /** Aborted when the operation is cancelled or the daemon ends; the first cause is the reason. */
  readonly signal: AbortSignal;
  /**
   * Aborted only when the daemon ends: for what must be done although the operation was cancelled. What throws
   * then gets no final notice, and the next daemon recovers it.
   */
  readonly shutdownSignal: AbortSignal;
  readonly log: Logger;
  /** What was noted so far, also before the daemon died. Only what is on disk. */
  readonly steps: Steps;
  /** Notes a step in the journal; when this has resolved the note survives any crash. */
  step(name: string, value?: string): Promise<void>;
  /**
   * Says that the operation ends although something of it is left to be cleaned up. Its journal entry stays, and
   * `recover` is called once more before the next engine counts as running.
   */
  owe(reason: string): void;
  /** Resolves once the host has taken, or refused for good, the last progress that was yielded; never rejects. */
  progressAcknowledged(): Promise<void>;
}

/**
 * What ended an operation before its own end: it failed, it was cancelled, the engine died and is back, or the daemon
 * died (also: the clean-up comes late). After the last, a person may have worked on the container meanwhile.
 */
export type Interruption = "daemon" | "engine" | "cancel" | "failure";

/**
 * A kind of accepted work on one container. It is written as a generator of the contract's own progress
 * messages: it yields those in progress and returns the final one. Everything else the runner does: what `run`
 * throws, it cleans up by `recover`, so there is one clean-up for failures, cancels and crashes.
 */
export interface OperationKind<
  R extends DescMessage = DescMessage,
  M extends ListenerMethod = ListenerMethod,
> {
  /** The word for it in refusals, in status and in the journal: create, start ... */
  readonly name: string;
  /** What the request is, so that the journal can keep it. */
  readonly request: R;
  /** The rpc of the listener that hears of it. */
  readonly notify: M;
  run(
    request: MessageShape<R>,
    context: OperationContext,
  ): AsyncGenerator<NoticeInit<M>, NoticeInit<M>, void>;
  /** The final message when `run` or `recover` threw; `last` is what was told last of its progress. */
  failed(request: MessageShape<R>, error: TremplinError, last?: NoticeInit<M>): NoticeInit<M>;
  /** The final message when it was cancelled. */
  cancelled(request: MessageShape<R>, cause: TremplinError, last?: NoticeInit<M>): NoticeInit<M>;
  /**
   * Cleans up after an operation that stopped anywhere. Decides by what is there, acts only on the container that
   * the operation began with, and leaves alone what somebody used since (see container-identity.ts). Returns the
   * final message where the work turns out to be whole or where there is more to say than that it failed, and
   * undefined when all is as it was before. Throws only when it could not clean up: then the entry stays in the
   * journal, the container stays locked, and it is tried again. Must be safe to repeat. Should be quick: nothing
   * new starts on the engine until it is through.
   */
  recover(
    request: MessageShape<R>,
    context: OperationContext,
    interruption: Interruption,
  ): Promise<NoticeInit<M> | undefined>;
  /**
   * The final message where the work is whole although the engine is gone and nothing can be cleaned up there.
   * Default: never. Asks no engine.
   */
  whole?(request: MessageShape<R>, context: OperationContext): Promise<NoticeInit<M> | undefined>;
  /**
   * The sentence of a failure that the death of the daemon or the engine caused, after `recover` cleaned up: begins
   * with `cause` ("the daemon died") and ends with what to do.
   */
  interrupted(request: MessageShape<R>, cause: string): string;
  /** What of a waiting progress message must live on in a newer one. Default: nothing, the newest wins. */
  coalesce?(older: NoticeInit<M>, newer: NoticeInit<M>): NoticeInit<M>;
}
