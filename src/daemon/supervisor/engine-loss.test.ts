import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../base/async/clock.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { failIfEngineLost } from "./engine-loss.ts";

const address = { kind: "unix", path: "/nowhere/unix.socket" } as const;
const never = new Promise<never>(() => undefined);

/** A clock on which each sleep is over at once. */
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

test("work that waits for an engine which does not return within two minutes is not waited for", async () => {
  const clock = quickClock();
  const { signal: over } = new AbortController();
  await assert.rejects(
    failIfEngineLost(never, { address, clock, lostSignal: over }),
    /did not return within 120 s$/,
  );
  assert.equal(clock.elapsed(), 120_000);
});

test("an engine that is given up ends the wait with why; work that ends first is what counts", async () => {
  const clock = quickClock();
  const over = AbortSignal.abort(new TremplinError("failed", "it died 11 times"));
  await assert.rejects(failIfEngineLost(never, { address, clock, lostSignal: over }), /it died 11 times/);
  const { signal } = new AbortController();
  assert.equal(
    await failIfEngineLost(Promise.resolve("done"), { address, clock, lostSignal: signal }),
    "done",
  );
});
