import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { withRetries } from "./retry.ts";

/** Work that fails a number of times, then succeeds, and takes some milliseconds each time. */
function failing(times: number, clock: ManualClock, takesMs = 0) {
  let count = 0;
  return async (): Promise<string> => {
    clock.advance(takesMs);
    if (++count <= times) throw new Error(`failure ${count}`);
    return `attempt ${count}`;
  };
}

test("an attempt follows each failure, up to the maximum; then the last error is thrown", async () => {
  const clock = new ManualClock();
  const errors: unknown[] = [];
  const options = { clock, beforeRetry: (error: unknown) => errors.push(error) };
  assert.equal(await withRetries({ maxRetries: 2 }, options, failing(2, clock)), "attempt 3");
  assert.deepEqual(errors.map(String), ["Error: failure 1", "Error: failure 2"]);
  await assert.rejects(withRetries({ maxRetries: 2 }, options, failing(3, clock)), /failure 3/);
});

test("a failure counts only within the window", async () => {
  const clock = new ManualClock();
  const policy = { maxRetries: 2, windowMs: 30 };
  assert.equal(await withRetries(policy, { clock }, failing(9, clock, 15)), "attempt 10");
  await assert.rejects(withRetries(policy, { clock }, failing(9, clock, 10)), /failure 3/);
});

test("an error that is not retryable is final, as is one before the retry", async () => {
  const clock = new ManualClock();
  await assert.rejects(
    withRetries({ maxRetries: 2 }, { clock, isRetryable: () => false }, failing(1, clock)),
    /failure 1/,
  );
  const beforeRetry = () => {
    throw new Error("not possible");
  };
  await assert.rejects(
    withRetries({ maxRetries: 2 }, { clock, beforeRetry }, failing(1, clock)),
    /not possible/,
  );
});

test("each further attempt waits for the delay", async () => {
  const clock = new ManualClock();
  const result = withRetries({ maxRetries: 1, delayMs: 100 }, { clock }, failing(1, clock));
  await clock.sleeping();
  clock.advance(100);
  assert.equal(await result, "attempt 2");
});
