import type { CallOptions } from "@connectrpc/connect";
import { noticeText } from "../host/notice-text.ts";
import { operationIdIn } from "../transport/operation-id.ts";
import type { Ended, RunOptions, WatchOptions } from "./types.ts";
import type { Watch } from "./watch-events.ts";

/** Makes a call, and waits for the end of the operation that it began. */
export async function runToEnd<Answer>(
  watch: (options: WatchOptions) => Promise<Watch>,
  call: (options: CallOptions) => Promise<Answer>,
  { signal, onEvent }: RunOptions = {},
): Promise<Ended<Answer>> {
  const stop = new AbortController();
  const watching = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  // Before the call, so that no event can be missed.
  const { events } = await watch({ signal: watching });
  try {
    let operation: string | undefined;
    const onHeader = (header: Headers): void => {
      operation = operationIdIn(header);
    };
    const answer = await call({ onHeader, ...(signal && { signal }) });
    if (operation === undefined) return { answer, operation, succeeded: undefined, text: "" };
    for await (const event of events) {
      if (event.operation !== operation) continue;
      onEvent?.(event);
      const read = noticeText(event);
      if (!read || read.state === "going") continue;
      return { answer, operation, succeeded: read.state === "done", text: read.text };
    }
    throw new Error("unreachable");
  } finally {
    stop.abort();
    await events.return().catch(() => undefined);
  }
}
