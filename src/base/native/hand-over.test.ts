import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { HandOverReceiver, handOver } from "./hand-over.ts";
import { closeRaw } from "./raw-socket.ts";

/** Both ends of a TCP connection. */
async function pair(t: TestContext): Promise<{ readonly client: Socket; readonly fd: number }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [accepted] = await once(server, "connection");
  t.after(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });
  return { client, fd: accepted._handle.fd };
}

function receiverOf(t: TestContext): HandOverReceiver {
  const receiver = HandOverReceiver.open();
  assert.ok(receiver);
  t.after(() => receiver[Symbol.dispose]());
  return receiver;
}

test("a socket that comes with the key arrives", async (t) => {
  const { fd } = await pair(t);
  const receiver = receiverOf(t);
  assert.equal(receiver.take(), undefined);
  assert.ok(handOver(fd, receiver.place));
  const taken = receiver.take();
  assert.ok(taken !== undefined && taken !== fd);
  closeRaw(taken);
});

test("what comes with another key takes no place, and is never held by the receiver", async (t) => {
  const { fd } = await pair(t);
  const receiver = receiverOf(t);
  const { name, key } = receiver.place;
  // Without the filter the queue is full after a few, and the right one is lost.
  for (let each = 0; each < 1000; each++) assert.ok(handOver(fd, { name, key: "0".repeat(32) }));
  assert.ok(handOver(fd, { name, key }));
  const taken = receiver.take();
  assert.ok(taken !== undefined);
  closeRaw(taken);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 127 }), (bit) => {
      const other = Buffer.from(key, "hex");
      other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.ok(handOver(fd, { name, key: other.toString("hex") }));
      assert.equal(receiver.take(), undefined);
    }),
  );
});
