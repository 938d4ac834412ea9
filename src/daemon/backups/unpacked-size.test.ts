import assert from "node:assert/strict";
import { test } from "node:test";
import { estimateGzipSize, zstdContentSize } from "./unpacked-size.ts";

const GIB = 2 ** 30;

test("gzip stores only the low 32 bits: the rest is estimated", () => {
  assert.equal(estimateGzipSize(94e6, 271e6), 271e6);
  // 1 GiB of gzip may contain 100 bytes more than 4, 8, 12 or 16 GiB: the highest is assumed.
  assert.equal(estimateGzipSize(GIB, 100), 16 * GIB + 100);
  // Never less than the file itself.
  assert.equal(estimateGzipSize(5e6, 0), 5e6);
});

test("zstd may have the size in its header", () => {
  const head = (...bytes: number[]): Buffer =>
    Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...bytes]), Buffer.alloc(18)]);
  assert.equal(zstdContentSize(head(0b0000_0100, 0x58)), undefined);
  assert.equal(zstdContentSize(head(0b0010_0000, 200)), 200);
  assert.equal(zstdContentSize(head(0b0110_0000, 1, 1)), 257 + 256);
  assert.equal(zstdContentSize(head(0b1010_0000, 0, 0, 0, 1)), 2 ** 24);
  assert.equal(zstdContentSize(head(0b1110_0000, 0, 0, 0, 0, 1, 0, 0, 0)), 2 ** 32);
  assert.equal(zstdContentSize(head(0b1000_0001, 0x58, 9, 0, 0, 1, 0)), 2 ** 16);
});
