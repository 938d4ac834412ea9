import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../base/async/clock.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { failIfEngineLost } from "./engine-loss.ts";

const address = { kind: "unix", path: "/nowhere/unix.socket" } as const;
const never = new Promise<never>(() => undefined);

/** A clock on which each sleep ends at once. */
function quickClock(): Clock {
  let now = 0;
  return {
    now: Date.now,
    elapsed: () => now,
    async sleep(milliseconds, signal) {
      signal?.throwIfAborted();
      now += milliseconds;
      await new Promise(setImmediate);
    },
  };
}

test("recovery fails when its engine does not return within two minutes", async () => {
  const clock = quickClock();
  const { signal: lostSignal } = new AbortController();
  await assert.rejects(
    failIfEngineLost(never, { address, clock, lostSignal }),
    /did not return within 120 s$/,
  );
  assert.equal(clock.elapsed(), 120_000);
});

test("recovery fails with the reason for which the engine is lost; a result that is there first counts", async () => {
  const clock = quickClock();
  const lostSignal = AbortSignal.abort(new TremplinError("failed", "it died 11 times"));
  await assert.rejects(failIfEngineLost(never, { address, clock, lostSignal }), /it died 11 times/);
  const { signal } = new AbortController();
  assert.equal(
    await failIfEngineLost(Promise.resolve("done"), { address, clock, lostSignal: signal }),
    "done",
  );
});
