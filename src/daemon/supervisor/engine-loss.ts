import { abortable } from "../../base/async/abortable.ts";
import type { Clock } from "../../base/async/clock.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { EngineAddress } from "../../engine/http/engine-address.ts";
import { isReady } from "../../engine/http/is-ready.ts";
import { READY_TIMEOUT_MS } from "./wait-until-ready.ts";

const POLL_INTERVAL_MS = 1_000;

interface WatchedEngine {
  readonly address: EngineAddress;
  readonly clock: Clock;
  /** Aborts when there will be no engine any more; its reason is thrown. */
  readonly lostSignal: AbortSignal;
}

/**
 * What the work gives, unless its engine dies for good or does not answer for longer than an engine needs to come
 * back: then it throws why. The work itself is not ended; it may wait for another engine.
 */
export async function failIfEngineLost<T>(
  work: Promise<T>,
  { address, clock, lostSignal: over }: WatchedEngine,
): Promise<T> {
  const done = new AbortController();
  const signal = AbortSignal.any([over, done.signal]);
  try {
    return await Promise.race([abortable(work, over), waitForEngineLoss(address, clock, signal)]);
  } finally {
    done.abort();
  }
}

async function waitForEngineLoss(address: EngineAddress, clock: Clock, signal: AbortSignal): Promise<never> {
  for (
    let heard = clock.elapsed();
    clock.elapsed() - heard < READY_TIMEOUT_MS;
    await clock.sleep(POLL_INTERVAL_MS, signal)
  ) {
    if (await isReady(address, { signal })) heard = clock.elapsed();
  }
  throw new TremplinError(
    "failed",
    `the engine went away while what was left half done was put right, and did not return within ${READY_TIMEOUT_MS / 1000} s`,
  );
}
