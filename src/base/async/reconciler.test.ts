import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { Reconciler } from "./reconciler.ts";

/** A refresher whose looks the test ends, one by one. */
function looks() {
  const clock = new ManualClock();
  const begun: ((right: boolean) => void)[] = [];
  let seen = Promise.withResolvers<void>();
  const look = () =>
    new Promise<boolean>((resolve) => {
      begun.push(resolve);
      seen.resolve();
    });
  const refresher = new Reconciler({ look, gather: 100, again: [500, 5_000], clock });
  const next = async (time: number) => {
    seen = Promise.withResolvers<void>();
    await clock.sleeping();
    clock.advance(time);
    await seen.promise;
  };
  return { refresher, clock, begun, next };
}

test("all who ask at once get one look", async () => {
  const { refresher, begun, next } = looks();
  refresher.ask();
  refresher.ask();
  await next(100);
  begun[0]?.(true);
  await refresher[Symbol.asyncDispose]();
  assert.equal(begun.length, 1);
});

test("who asks while a look is under way gets another one", async () => {
  const { refresher, begun, next } = looks();
  refresher.ask();
  await next(100);
  refresher.ask();
  begun[0]?.(true);
  await next(100);
  assert.equal(begun.length, 2);
  begun[1]?.(true);
  await refresher[Symbol.asyncDispose]();
});

test("what is not right is looked at again by itself, and at once when somebody asks", async () => {
  const { refresher, clock, begun, next } = looks();
  refresher.ask();
  await next(100);
  begun[0]?.(false);
  await clock.sleeping();
  clock.advance(500);
  await next(100);
  assert.equal(begun.length, 2);
  begun[1]?.(false);
  await clock.sleeping();
  refresher.ask();
  await next(100);
  assert.equal(begun.length, 3);
  begun[2]?.(true);
  await refresher[Symbol.asyncDispose]();
});
