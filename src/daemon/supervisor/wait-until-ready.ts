import type { Clock } from "../../base/async/clock.ts";
import { pollUntil } from "../../base/async/poll-until.ts";
import type { EngineAddress } from "../../engine/http/engine-address.ts";
import { isReady } from "../../engine/http/is-ready.ts";

/** An engine that is not ready after this time will not be (docs/contract.md#limits-and-intervals). */
export const READY_TIMEOUT_MS = 120_000;
const POLL_INTERVAL_MS = 50;

interface WaitOptions {
  readonly clock: Clock;
  /** Its reason is thrown: the daemon ends, or there will be no engine any more. */
  readonly signal: AbortSignal;
  /** Default: READY_TIMEOUT_MS. */
  readonly timeoutMs?: number;
}

/** Waits until the engine calls itself ready (docs/contract.md#launching-the-engine); false after the timeout. */
export async function waitUntilReady(
  address: EngineAddress,
  { clock, signal, timeoutMs = READY_TIMEOUT_MS }: WaitOptions,
): Promise<boolean> {
  const isEngineReady = () => isReady(address, { signal });
  return await pollUntil(isEngineReady, { clock, timeoutMs, intervalMs: POLL_INTERVAL_MS, signal });
}
