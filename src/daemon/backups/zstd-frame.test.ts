import assert from "node:assert/strict";
import { test } from "node:test";
import { zstdContentSize, zstdWindowSize } from "./zstd-frame.ts";

function head(...bytes: number[]): Buffer {
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...bytes]), Buffer.alloc(18)]);
}

test("a frame may have the size of its content in its header", () => {
  assert.equal(zstdContentSize(head(0b0000_0100, 0x58)), undefined);
  assert.equal(zstdContentSize(head(0b0010_0000, 200)), 200);
  assert.equal(zstdContentSize(head(0b0110_0000, 1, 1)), 257 + 256);
  assert.equal(zstdContentSize(head(0b1010_0000, 0, 0, 0, 1)), 2 ** 24);
  assert.equal(zstdContentSize(head(0b1110_0000, 0, 0, 0, 0, 1, 0, 0, 0)), 2 ** 32);
  assert.equal(zstdContentSize(head(0b1000_0001, 0x58, 9, 0, 0, 1, 0)), 2 ** 16);
});

test("a frame has the size of its window in its header", () => {
  assert.equal(zstdWindowSize(head(0b0000_0100, 0x58)), 2 ** 21);
  assert.equal(zstdWindowSize(head(0b0000_0100, 21 << 3)), 2 ** 31);
  assert.equal(zstdWindowSize(head(0b0000_0100, (17 << 3) | 4)), 1.5 * 2 ** 27);
  assert.equal(zstdWindowSize(head(0b1010_0000, 0, 0, 0, 1)), 2 ** 24);
  assert.equal(zstdWindowSize(Buffer.from("no frame at all, only text")), 0);
});
