import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import type { Logger } from "../../base/logger.ts";
import type { TremplinError } from "../../base/tremplin-error.ts";
import type { ListenerMethod, NoticeInit } from "../notices/notice.ts";

/** What has happened in an operation that matters for putting things right later: name to a word about it. */
export type Steps = Readonly<Record<string, string>>;

/** What the runner gives to an operation. */
export interface OperationContext {
  /** 16 hexadecimal digits, unique among the operations of this daemon. */
  readonly id: string;
  /** Aborted when the operation is cancelled or the daemon ends; the first cause is the reason. */
  readonly signal: AbortSignal;
  /**
   * Aborted only when the daemon ends: for what must be done although the operation was cancelled. What throws
   * then gets no final notice, and the next daemon recovers it.
   */
  readonly ending: AbortSignal;
  readonly log: Logger;
  /** What was noted so far, also before the daemon died. */
  readonly steps: Steps;
  /** Notes a step in the journal; when this has resolved the note survives any crash. */
  step(name: string, value?: string): Promise<void>;
  /** Resolves once the host has taken, or refused for good, the last progress that was yielded; never rejects. */
  heard(): Promise<void>;
}

/**
 * A kind of accepted work on one container. It is written as a generator of the contract's own progress
 * messages: it yields those in progress and returns the final one. Everything else the runner does.
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
   * Puts things right after the daemon died in the middle, and says how it ended: done when the work turns
   * out to be whole, else undone and failed. Must be safe to repeat. Should be quick: nothing new starts on
   * the engine until it is through.
   */
  recover(request: MessageShape<R>, context: OperationContext): Promise<NoticeInit<M>>;
  /** What of a waiting progress message must live on in a newer one. Default: nothing, the newest wins. */
  absorb?(older: NoticeInit<M>, newer: NoticeInit<M>): NoticeInit<M>;
}

/** An operation under way. */
export interface Operation {
  readonly id: string;
  readonly kind: string;
  /** Empty for work on the engine itself. */
  readonly container: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}
