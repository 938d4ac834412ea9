import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { fromPromise, pollProgress, withHeartbeat } from "./heartbeat.ts";

test("a heartbeat comes at each interval, which restarts with each message", async () => {
  const clock = new ManualClock();
  const steps = [Promise.withResolvers<string>(), Promise.withResolvers<string>()] as const;
  async function* work() {
    yield await steps[0].promise;
    return await steps[1].promise;
  }
  const progress = withHeartbeat(work(), { every: 30, clock }, (silence) => `silent for ${silence}`);
  const next = async () => (await progress.next()).value;
  const beat = async () => {
    const message = next();
    await clock.sleeping();
    clock.advance(30);
    return message;
  };
  assert.equal(await beat(), "silent for 30");
  assert.equal(await beat(), "silent for 60");
  steps[0].resolve("halfway");
  assert.equal(await next(), "halfway");
  assert.equal(await beat(), "silent for 30");
  steps[1].resolve("done");
  assert.deepEqual(await progress.next(), { done: true, value: "done" });
});

test("a failure passes through, and a heartbeat that throws gives up", async () => {
  const clock = new ManualClock();
  const failing = withHeartbeat(
    fromPromise(Promise.reject(new Error("broken"))),
    { every: 30, clock },
    () => "x",
  );
  await assert.rejects(failing.next(), /broken/);
  const endless = withHeartbeat(fromPromise(new Promise(() => undefined)), { every: 30, clock }, () => {
    throw new Error("too long");
  });
  const givenUp = assert.rejects(endless.next(), /too long/);
  await clock.sleeping();
  clock.advance(30);
  await givenUp;
});

test("progress is polled at once and then every 600 ms", async () => {
  const clock = new ManualClock();
  const work = Promise.withResolvers<string>();
  let count = 0;
  const progress = pollProgress(work.promise, () => count++, clock);
  assert.deepEqual(await progress.next(), { done: false, value: 0 });
  for (const expected of [1, 2]) {
    const next = progress.next();
    await clock.sleeping();
    clock.advance(599);
    assert.equal(count, expected);
    clock.advance(1);
    assert.deepEqual(await next, { done: false, value: expected });
  }
  work.resolve("done");
  assert.deepEqual(await progress.next(), { done: true, value: "done" });
});

test("nothing is sent while there is no progress", async () => {
  const clock = new ManualClock();
  let percent: number | undefined;
  const progress = pollProgress(new Promise(() => undefined), () => percent, clock);
  const first = progress.next();
  for (let polls = 0; polls < 3; polls++) {
    await clock.sleeping();
    clock.advance(600);
  }
  await clock.sleeping();
  percent = 1;
  clock.advance(600);
  assert.deepEqual(await first, { done: false, value: 1 });
});
