import assert from "node:assert/strict";

/**
 * For tests of what is linear in the size of its input: does the work and fails if that took 10 seconds. On a
 * megabyte anything linear is far below, on the slowest machine too, and anything quadratic far above.
 */
export function inLinearTime<Result>(work: () => Result): Result {
  const start = performance.now();
  const result = work();
  const milliseconds = performance.now() - start;
  assert.ok(milliseconds < 10_000, `it took ${Math.round(milliseconds)} ms`);
  return result;
}
