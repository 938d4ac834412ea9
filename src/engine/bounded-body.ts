import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { TremplinError } from "../base/tremplin-error.ts";
import { requestLimit } from "./engine-http.ts";
import { TimeLimit } from "./time-limit.ts";

export interface BodyLimits {
  readonly signal?: AbortSignal | undefined;
  /** Fails beyond so many bytes. Default: no bound. */
  readonly maxBytes?: number | undefined;
  /** Milliseconds that the reader may have to wait for more, default 60 s. A slow reader is no concern. */
  readonly timeLimit?: number | undefined;
}

/** The body of an answer as a stream that cannot hang and cannot grow beyond its bound. */
export function boundedBody(answer: IncomingMessage, limits: BodyLimits): Readable {
  return Readable.from(chunksOf(answer, limits), { objectMode: false });
}

async function* chunksOf(answer: IncomingMessage, limits: BodyLimits): AsyncGenerator<Buffer> {
  const { signal, maxBytes = Number.POSITIVE_INFINITY, timeLimit = requestLimit } = limits;
  const late = () =>
    new TremplinError("unavailable", `the engine sent nothing more for ${timeLimit / 1000} s`);
  let bytes = 0;
  const chunks = answer[Symbol.asyncIterator]();
  try {
    for (;;) {
      using limit = new TimeLimit(timeLimit, late, [signal]);
      limit.signal.addEventListener("abort", () => answer.destroy(limit.signal.reason));
      limit.signal.throwIfAborted();
      const { done, value } = await chunks.next();
      if (done) return;
      bytes += value.length;
      if (bytes > maxBytes) throw new TremplinError("failed", `it is larger than ${maxBytes} bytes`);
      yield value;
    }
  } finally {
    answer.destroy();
  }
}
