import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { abortable } from "./abortable.ts";

const never = new Promise<never>(() => undefined);

test("an abort rejects at once with its reason, whatever the promise does", async () => {
  const reason = new Error("enough");
  await assert.rejects(abortable(never, AbortSignal.abort(reason)), reason);
  const aborting = new AbortController();
  const waiting = abortable(never, aborting.signal);
  aborting.abort(reason);
  await assert.rejects(waiting, reason);
});

test("without an abort the promise decides, and no listener stays on the signal", async () => {
  const { signal } = new AbortController();
  assert.equal(await abortable(Promise.resolve(1), signal), 1);
  await assert.rejects(abortable(Promise.reject(new Error("no")), signal), /no/);
  assert.equal(await abortable(Promise.resolve(2), undefined), 2);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("a promise that rejects after the abort causes no unhandled rejection", async () => {
  const { promise, reject } = Promise.withResolvers<never>();
  await assert.rejects(abortable(promise, AbortSignal.abort(new Error("enough"))), /enough/);
  reject(new Error("too late"));
  await new Promise(setImmediate);
});
