import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { waitUntilReady } from "./wait-until-ready.ts";

test("a clock that is set meanwhile does not make an engine late", async () => {
  const clock = new ManualClock();
  const { signal } = new AbortController();
  let isOver = false;
  const address = { kind: "unix", path: "/nowhere/unix.socket" } as const;
  const ready = waitUntilReady(address, { clock, signal, timeoutMs: 200 }).finally(() => {
    isOver = true;
  });
  await clock.sleeping();
  clock.jump(3_600_000);
  for (let waited = 0; waited < 150; waited += 50) {
    clock.advance(50);
    await clock.sleeping();
    assert.equal(isOver, false);
  }
  clock.advance(50);
  assert.equal(await ready, false);
});
