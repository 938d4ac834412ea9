import assert from "node:assert/strict";
import { test } from "node:test";
import type { Logger } from "../../base/logger.ts";
import { vsockGuard } from "./vsock-guard.ts";

test("every rejected caller is logged once as a warning", () => {
  const said: string[] = [];
  const note = (level: string) => (words: { cid: number }) => said.push(`${level} ${words.cid}`);
  const accepts = vsockGuard([2], { warn: note("warn"), debug: note("debug") } as unknown as Logger);
  assert.deepEqual([2, 1, 1, 3, 2].map(accepts), [true, false, false, false, true]);
  assert.deepEqual(said, ["warn 1", "debug 1", "warn 3"]);
});
