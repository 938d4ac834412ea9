import assert from "node:assert/strict";

/**
 * For tests of what is linear in the size of its input: does the work and fails if that took 10 seconds of
 * the processor, which other work on the machine does not change. On a megabyte anything linear is far below, on the slowest
 * machine too, and anything quadratic far above.
 */
export function inLinearTime<Result>(work: () => Result): Result {
  const start = process.threadCpuUsage();
  const result = work();
  const { user, system } = process.threadCpuUsage(start);
  const milliseconds = (user + system) / 1000;
  assert.ok(milliseconds < 10_000, `it took ${Math.round(milliseconds)} ms`);
  return result;
}
