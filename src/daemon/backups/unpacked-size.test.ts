import assert from "node:assert/strict";
import { test } from "node:test";
import { estimateGzipSize } from "./unpacked-size.ts";

const GIB = 2 ** 30;

test("gzip stores only the low 32 bits: the rest is estimated", () => {
  assert.equal(estimateGzipSize(94e6, 271e6), 271e6);
  // 1 GiB of gzip may contain 100 bytes more than 4, 8, 12 or 16 GiB: the highest is assumed.
  assert.equal(estimateGzipSize(GIB, 100), 16 * GIB + 100);
  // Never less than the file itself.
  assert.equal(estimateGzipSize(5e6, 0), 5e6);
});
