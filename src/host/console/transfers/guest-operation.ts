import type { CallOptions } from "@connectrpc/connect";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { OPERATION_METADATA, operationIdIn } from "../../../transport/operation-id.ts";
import { noticeText } from "../../notice-text.ts";
import type { EventStore } from "../../store/event-store.ts";

/** A guest reports what an operation did within this time after it accepted it. */
const ACCEPT_TIMEOUT_MS = 120_000;
/** One that was cancelled ends within this time; a guest that says nothing would keep a place of others for ever. */
const CANCEL_TIMEOUT_MS = 5 * 60_000;

export interface GuestOperation {
  readonly guest: string;
  /** Begins it. Throws where the guest refuses. */
  readonly begin: (options: CallOptions) => Promise<void>;
  readonly cancel: (options: CallOptions) => Promise<unknown>;
  /** Gets its id. */
  readonly onBegun: (id: string) => void;
}

export interface Waiting {
  readonly events: Pick<EventStore, "newest" | "read">;
  /** Cancels the operation. */
  readonly signal: AbortSignal;
  /** Gives up on its end. */
  readonly shutdownSignal: AbortSignal;
  /** How long the end of a cancelled one is waited for. Default: five minutes. */
  readonly cancelTimeoutMs?: number;
}

/**
 * Runs an operation of a guest. Throws unless it succeeds. One that is cancelled is waited for too: until it has ended,
 * the guest uses its file.
 */
export async function runGuestOperation(spec: GuestOperation, waiting: Waiting): Promise<void> {
  const { events, signal, shutdownSignal, cancelTimeoutMs = CANCEL_TIMEOUT_MS } = waiting;
  signal.throwIfAborted();
  const after = events.newest;
  let id: string | undefined;
  const onHeader = (header: Headers): void => {
    id = operationIdIn(header);
  };
  // Without the signal: an operation whose id nobody knows could not be cancelled.
  await spec.begin({ onHeader, timeoutMs: ACCEPT_TIMEOUT_MS });
  if (id === undefined) throw new TremplinError("failed", "the guest gave no id for its operation");
  spec.onBegun(id);
  const options = { headers: { [OPERATION_METADATA]: id }, timeoutMs: ACCEPT_TIMEOUT_MS };
  const gaveUp = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const cancel = (): void => {
    timer = setTimeout(() => gaveUp.abort(), cancelTimeoutMs);
    spec.cancel(options).catch(() => undefined);
  };
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel, { once: true });
  try {
    for await (const event of events.read({
      guest: spec.guest,
      after,
      follow: true,
      signal: AbortSignal.any([shutdownSignal, gaveUp.signal]),
    })) {
      if (event.operation !== id) continue;
      const text = noticeText(event);
      if (text?.state === "done") return;
      if (text?.state === "failed")
        throw signal.aborted ? signal.reason : new TremplinError("failed", text.text);
    }
    throw signal.aborted ? signal.reason : new TremplinError("unavailable", "the host shut down meanwhile");
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
  }
}
