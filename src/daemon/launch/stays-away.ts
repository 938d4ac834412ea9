import type { Clock } from "../../base/clock.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { EngineAddress } from "../../engine/engine-address.ts";
import { isReady } from "../../engine/is-ready.ts";
import { READY_LIMIT } from "./becomes-ready.ts";

const LOOK = 1_000;

/**
 * Throws once the engine has not answered for longer than an engine needs to come back. Until then it goes on;
 * the signal ends it with its reason.
 */
export async function staysAway(address: EngineAddress, clock: Clock, signal: AbortSignal): Promise<never> {
  for (let heard = clock.now(); clock.now() - heard < READY_LIMIT; await clock.sleep(LOOK, signal)) {
    if (await isReady(address, { signal })) heard = clock.now();
  }
  throw new TremplinError(
    "failed",
    `the engine went away while what was left half done was put right, and did not return within ${READY_LIMIT / 1000} s`,
  );
}
