import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { Reconciler } from "./reconciler.ts";

/** A reconciler whose looks the test ends, one by one. */
function looks() {
  const clock = new ManualClock();
  const begun: ((right: boolean) => void)[] = [];
  let seen = Promise.withResolvers<void>();
  const reconcile = () =>
    new Promise<boolean>((resolve) => {
      begun.push(resolve);
      seen.resolve();
    });
  const reconciler = new Reconciler({ reconcile, debounceMs: 100, retryDelaysMs: [500, 5_000], clock });
  const next = async (time: number) => {
    seen = Promise.withResolvers<void>();
    await clock.sleeping();
    clock.advance(time);
    await seen.promise;
  };
  return { reconciler, clock, begun, next };
}

test("triggers at the same time share one run", async () => {
  const { reconciler, begun, next } = looks();
  reconciler.trigger();
  reconciler.trigger();
  await next(100);
  begun[0]?.(true);
  await reconciler[Symbol.asyncDispose]();
  assert.equal(begun.length, 1);
});

test("a trigger during a run causes another run", async () => {
  const { reconciler, begun, next } = looks();
  reconciler.trigger();
  await next(100);
  reconciler.trigger();
  begun[0]?.(true);
  await next(100);
  assert.equal(begun.length, 2);
  begun[1]?.(true);
  await reconciler[Symbol.asyncDispose]();
});

test("a failed run is retried after a delay, and at once on a trigger", async () => {
  const { reconciler, clock, begun, next } = looks();
  reconciler.trigger();
  await next(100);
  begun[0]?.(false);
  await clock.sleeping();
  clock.advance(500);
  await next(100);
  assert.equal(begun.length, 2);
  begun[1]?.(false);
  await clock.sleeping();
  reconciler.trigger();
  await next(100);
  assert.equal(begun.length, 3);
  begun[2]?.(true);
  await reconciler[Symbol.asyncDispose]();
});
