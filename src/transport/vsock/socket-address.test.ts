import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cidOf, decodeAddress, encodeAddress, formatVsock } from "./socket-address.ts";

test("what is encoded is what linux/vm_sockets.h says", () => {
  const bytes = encodeAddress({ cid: cidOf("any"), port: 8890 });
  assert.equal(bytes.toString("hex"), "28000000ba220000ffffffff00000000");
  assert.equal(formatVsock({ cid: cidOf("any"), port: 8890 }), "vsock:any:8890");
  assert.equal(formatVsock({ cid: 3, port: 1 }), "vsock:3:1");
  assert.equal(encodeAddress({ cid: 1, port: 0 }).readUInt32LE(4), 0xffffffff);
  assert.equal(cidOf("host"), 2);
  assert.equal(cidOf(3), 3);
});

test("any address comes back", () => {
  const number = fc.integer({ min: 1, max: 0xffffffff });
  fc.assert(
    fc.property(number, number, (cid, port) => {
      assert.deepEqual(decodeAddress(encodeAddress({ cid, port })), { cid, port });
    }),
  );
});
