import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { waitUntilReady } from "./wait-until-ready.ts";

test("setting the clock meanwhile does not change the timeout", async () => {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  let isDone = false;
  const address = { kind: "unix", path: "/nowhere/unix.socket" } as const;
  const ready = waitUntilReady(address, { clock, signal, timeoutMs: 200 }).finally(() => {
    isDone = true;
  });
  await clock.sleeping();
  clock.jump(3_600_000);
  for (let waited = 0; waited < 150; waited += 50) {
    clock.advance(50);
    await clock.sleeping();
    assert.equal(isDone, false);
  }
  clock.advance(50);
  assert.equal(await ready, false);
});
