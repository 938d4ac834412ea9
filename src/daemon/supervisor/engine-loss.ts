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
 * The result of the recovery, unless its engine is lost or does not answer for longer than an engine needs to return:
 * then it throws why. The recovery itself is not aborted; it may wait for another engine.
 */
export async function failIfEngineLost<T>(
  recovery: Promise<T>,
  { address, clock, lostSignal }: WatchedEngine,
): Promise<T> {
  const done = new AbortController();
  const signal = AbortSignal.any([lostSignal, done.signal]);
  try {
    return await Promise.race([abortable(recovery, lostSignal), waitForEngineLoss(address, clock, signal)]);
  } finally {
    done.abort();
  }
}

async function waitForEngineLoss(address: EngineAddress, clock: Clock, signal: AbortSignal): Promise<never> {
  let lastAnswer = clock.elapsed();
  while (clock.elapsed() - lastAnswer < READY_TIMEOUT_MS) {
    if (await isReady(address, { signal })) lastAnswer = clock.elapsed();
    await clock.sleep(POLL_INTERVAL_MS, signal);
  }
  throw new TremplinError(
    "failed",
    `the engine stopped answering while interrupted operations were recovered, and did not return within ${READY_TIMEOUT_MS / 1000} s`,
  );
}
