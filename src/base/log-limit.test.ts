import assert from "node:assert/strict";
import { test } from "node:test";
import { LogLimit } from "./log-limit.ts";

test("each key has its lines in each period, and the next period says how many were left out", () => {
  let now = 0;
  const limit = new LogLimit({ elapsed: () => now }, { lines: 2, periodMs: 100 });
  const admitted = (key: string) => limit.admit(key);
  assert.deepEqual(
    [admitted("a"), admitted("a"), admitted("a"), admitted("a")],
    [{}, {}, undefined, undefined],
  );
  assert.deepEqual(admitted("b"), {});
  now = 100;
  assert.deepEqual([admitted("a"), admitted("a"), admitted("a")], [{ omitted: 2 }, {}, undefined]);
});

test("any number of keys uses bounded memory, and one that is full stays so", () => {
  const limit = new LogLimit({ elapsed: () => 0 }, { lines: 1 });
  assert.deepEqual(limit.admit("first"), {});
  for (let each = 0; each < 999; each++) limit.admit(`${each}`);
  assert.equal(limit.admit("first"), undefined);
  for (let each = 999; each < 3_000; each++) limit.admit(`${each}`);
  assert.deepEqual(limit.admit("first"), {});
});
