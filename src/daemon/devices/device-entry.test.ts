import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { entryOfNode, numbersOf } from "./device-entry.ts";

test("a node gives its kind and numbers, anything else nothing", async () => {
  assert.deepEqual(await entryOfNode("/dev/null"), {
    type: "unix-char",
    path: "/dev/null",
    major: "1",
    minor: "3",
    mode: "0666",
  });
  for (const path of ["/dev", "/etc/passwd", "/dev/nothing", "/proc/self"]) {
    assert.equal(await entryOfNode(path), undefined);
  }
});

test("any two numbers come back from the one that they are packed into", () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(word, word, (major, minor) => {
      const [high, low] = [BigInt(major), BigInt(minor)];
      const packed =
        ((high & 0xfffn) << 8n) | ((high & ~0xfffn) << 32n) | (low & 0xffn) | ((low & ~0xffn) << 12n);
      assert.deepEqual(numbersOf(packed), { major, minor });
    }),
  );
});
