import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenFile } from "./open-file.ts";
import { PacketReader } from "./sftp-packet.ts";

test("a file whose server gives no bytes and no end has ended", async () => {
  const nothing = async () => new PacketReader(Buffer.alloc(4));
  const file = new OpenFile(Buffer.of(1), nothing);
  assert.equal(await file.read(0), undefined);
  assert.deepEqual(await Array.fromAsync(file.content(100_000)), []);
});
