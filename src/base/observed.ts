import { channel, tracingChannel } from "node:diagnostics_channel";

/** A command of the command line. */
export interface CommandWork {
  readonly name: string;
}

/** A call of an rpc, as the side that is named sees it. */
export interface RpcWork {
  readonly side: "client" | "server";
  readonly service: string;
  readonly method: string;
  /** The metadata of the request. */
  readonly header: Headers;
  /** Whether it takes or answers with a stream. */
  readonly streams: boolean;
  /** The operation that it began. */
  operation?: string | undefined;
}

export interface OperationWork {
  readonly id: string;
  readonly kind: string;
  readonly container: string;
  /** How it ended. Undefined: not yet, it is left to the next daemon. */
  outcome?: "done" | "failed" | "cancelled" | "interrupted" | undefined;
}

/** A request to the engine. */
export interface EngineWork {
  readonly method: string;
  readonly path: string;
  /** The status of the answer. Undefined: there was none. */
  status?: number | undefined;
}

/** A round of a watcher: it looks at all of its containers. */
export interface RoundWork {
  readonly watcher: "ports" | "stops";
}

/** Events that the host writes to its database at once. */
export interface CommitWork {
  readonly events: number;
}

/** Of a notice of the daemon to its host. */
export interface NoticeAnswer {
  readonly notice: string;
  readonly answer: "acknowledged" | "rejected";
}

/** A notice that the host has taken or not. */
export interface NoticeTaken {
  readonly notice: string;
  readonly result: "taken" | "refused";
}

/**
 * What metrics and traces can follow. They subscribe (src/telemetry/); while nobody does, this costs nothing, and the
 * work knows nothing of them.
 */
export const observed = {
  command: works<CommandWork>("command"),
  rpc: works<RpcWork>("rpc"),
  operation: works<OperationWork>("operation"),
  engine: works<EngineWork>("engine"),
  round: works<RoundWork>("round"),
  commit: works<CommitWork>("commit"),
  noticeAnswer: channel("tremplin.notice-answer"),
  noticeTaken: channel("tremplin.notice-taken"),
} as const;

function works<T extends object>(name: string) {
  return tracingChannel<unknown, T>(`tremplin.${name}`);
}

/**
 * Does work that others may follow. They see `about` when it begins, and as it is when it has ended, with what was thrown
 * as `error`; the library sets `result` too.
 */
export function follow<T extends object, R>(
  works: ReturnType<typeof tracingChannel<unknown, T>>,
  about: T,
  work: (about: T) => Promise<R>,
): Promise<R> {
  return works.hasSubscribers ? works.tracePromise(() => work(about), about) : work(about);
}
