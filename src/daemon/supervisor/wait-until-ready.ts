import type { Clock } from "../../base/async/clock.ts";
import type { EngineAddress } from "../../engine/http/engine-address.ts";
import { isReady } from "../../engine/http/is-ready.ts";

/** An engine that has not answered after this long will not. Milliseconds (behaviour.md 2.4). */
export const READY_TIMEOUT_MS = 120_000;
const POLL_INTERVAL_MS = 50;

interface WaitOptions {
  readonly clock: Clock;
  /** Its reason is thrown: the daemon ends, or there will be no engine any more. */
  readonly signal: AbortSignal;
  /** Milliseconds; default READY_LIMIT. */
  readonly timeoutMs?: number;
}

/** Waits until the engine calls itself ready; false when it does not within the limit (behaviour.md 3.1). */
export async function waitUntilReady(address: EngineAddress, waiting: WaitOptions): Promise<boolean> {
  const { clock, signal, timeoutMs: limit = READY_TIMEOUT_MS } = waiting;
  for (
    const end = clock.elapsed() + limit;
    clock.elapsed() < end;
    await clock.sleep(POLL_INTERVAL_MS, signal)
  ) {
    if (await isReady(address, { signal })) return true;
  }
  return false;
}
