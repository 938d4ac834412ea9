import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { numbersOf, readDeviceEntry } from "./device-entry.ts";

test("a device node is read with its type and numbers; other files are not devices", async () => {
  assert.deepEqual(await readDeviceEntry("/dev/null"), {
    type: "unix-char",
    path: "/dev/null",
    major: "1",
    minor: "3",
    mode: "0666",
  });
  for (const path of ["/dev", "/etc/passwd", "/dev/nothing", "/proc/self"]) {
    assert.equal(await readDeviceEntry(path), undefined);
  }
});

test("packed device numbers are unpacked", () => {
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
