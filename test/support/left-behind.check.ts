import assert from "node:assert/strict";
import { test } from "node:test";
import { leftBehind } from "./left-behind.ts";
import { testRun } from "./test-run.ts";

test("the tests left nothing on the machine", async () => {
  assert.deepEqual(await leftBehind(testRun), []);
});
