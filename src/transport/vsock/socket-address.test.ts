import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cidOf, decodeAddress, encodeAddress } from "./socket-address.ts";

test("what is encoded is what linux/vm_sockets.h says", () => {
  const bytes = encodeAddress({ cid: cidOf("any"), port: 8890 });
  assert.equal(bytes.toString("hex"), "28000000ba220000ffffffff00000000");
  assert.equal(cidOf("host"), 2);
  assert.equal(cidOf(3), 3);
});

test("any address comes back", () => {
  const number = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(number, number, (cid, port) => {
      assert.deepEqual(decodeAddress(encodeAddress({ cid, port })), { cid, port });
    }),
  );
});
