import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PacketReader, PacketWriter } from "./sftp-packet.ts";

test("a packet is read as it was written", () => {
  const numbers = fc.tuple(fc.nat(255), fc.nat(0xffffffff), fc.maxSafeNat(), fc.uint8Array());
  const text = fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)) });
  fc.assert(
    fc.property(numbers, text, ([byte, word, long, bytes], name) => {
      const packet = new PacketWriter()
        .byte(byte)
        .uint32(word)
        .uint64(long)
        .bytes(bytes)
        .text(name)
        .toBuffer();
      assert.equal(packet.readUInt32BE(), packet.length - 4);
      const reader = new PacketReader(packet.subarray(4));
      assert.deepEqual([reader.byte(), reader.uint32(), reader.uint64()], [byte, word, long]);
      assert.deepEqual([...reader.bytes()], [...bytes]);
      assert.equal(reader.text(), name);
    }),
  );
});

test("a truncated packet is an error, whatever lengths it contains", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (body) => {
      const reader = new PacketReader(Buffer.from(body));
      assert.throws(() => {
        for (;;) reader.bytes();
      }, /broken SFTP packet/);
    }),
  );
  assert.throws(() => new PacketReader(Buffer.from([0, 0, 0, 2, 65])).text(), /broken SFTP packet/);
});
