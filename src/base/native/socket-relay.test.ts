import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { resetSocket } from "./reset-socket.ts";
import { duplicate, type RelayedPair, SocketRelay } from "./socket-relay.ts";

/** The relay stands between the two. */
interface Relayed {
  readonly client: Socket;
  readonly program: Socket;
  readonly pair: RelayedPair;
}

/** A connection: what a caller holds, and the descriptor of what was accepted. */
async function connection(): Promise<{ readonly socket: Socket; readonly fd: number }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  // The end of a test resets what is still open.
  socket.on("error", () => undefined);
  const [[accepted]] = (await Promise.all([once(server, "connection"), once(socket, "connect")])) as [
    [Socket],
    unknown,
  ];
  const fd = duplicate((accepted as unknown as { _handle: { fd: number } })._handle.fd);
  accepted.destroy();
  server.close();
  return { socket, fd };
}

async function relayed(t: TestContext, relay: SocketRelay): Promise<Relayed> {
  const [one, other] = [await connection(), await connection()];
  t.after(() => [one, other].forEach(({ socket }) => void socket.destroy()));
  return { client: one.socket, program: other.socket, pair: relay.add(one.fd, other.fd) };
}

async function openRelay(t: TestContext): Promise<SocketRelay> {
  const relay = await SocketRelay.open();
  t.after(() => relay[Symbol.asyncDispose]());
  return relay;
}

async function textOf(socket: Socket): Promise<string> {
  return (await Array.fromAsync(socket.setEncoding("utf8").iterator({ destroyOnReturn: false }))).join("");
}

test("each direction ends by itself, and the other one goes on", async (t) => {
  const relay = await openRelay(t);
  for (const [first, second] of [
    ["client", "program"],
    ["program", "client"],
  ] as const) {
    const between = await relayed(t, relay);
    const [one, other] = [between[first], between[second]];
    one.end("a question");
    assert.equal(await textOf(other), "a question");
    other.write("an ");
    other.end("answer");
    assert.equal(await textOf(one), "an answer");
    await between.pair.ended;
  }
});

test("many bytes arrive as they were sent, in both directions at once", async (t) => {
  const { client, program, pair } = await relayed(t, await openRelay(t));
  const block = Buffer.from(
    Array.from({ length: 1_000_003 }, (_, index) => (index * 7 + (index >> 8)) % 256),
  );
  const [blocks, total] = [40, 40 * block.length];
  const send = async (socket: Socket) => {
    for (let index = 0; index < blocks; index++) if (!socket.write(block)) await once(socket, "drain");
    socket.end();
  };
  const receive = async (socket: Socket) => {
    let at = 0;
    for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      for (let index = 0; index < chunk.length; ) {
        const from = (at + index) % block.length;
        const length = Math.min(chunk.length - index, block.length - from);
        assert.ok(chunk.subarray(index, index + length).equals(block.subarray(from, from + length)));
        index += length;
      }
      at += chunk.length;
    }
    return at;
  };
  const [, , one, other] = await Promise.all([
    send(client),
    send(program),
    receive(client),
    receive(program),
  ]);
  assert.deepEqual([one, other], [total, total]);
  await pair.ended;
});

test("a reset of either side resets the other one", async (t) => {
  const relay = await openRelay(t);
  for (const [first, second] of [
    ["client", "program"],
    ["program", "client"],
  ] as const) {
    const between = await relayed(t, relay);
    between[first].on("error", () => undefined).write("x");
    await once(between[second], "data");
    resetSocket(between[first]);
    const [error] = await once(between[second], "error");
    assert.equal(error.code, "ECONNRESET");
    await between.pair.ended;
  }
});

test("a reset after one direction has ended arrives too", async (t) => {
  const { client, program, pair } = await relayed(t, await openRelay(t));
  client.end();
  await once(program.resume(), "end");
  resetSocket(program);
  const [error] = await once(client, "error");
  assert.equal(error.code, "ECONNRESET");
  await pair.ended;
});

test("a reader that stops stops the sender, and others go on", async (t) => {
  const relay = await openRelay(t);
  const stalled = await relayed(t, relay);
  stalled.program.pause();
  const block = Buffer.alloc(1024 * 1024);
  let sent = 0;
  while (stalled.client.write(block) || (await drainsWithin(stalled.client, 300))) {
    sent += block.length;
    assert.ok(sent < 64 * block.length, "the sender is never stopped");
  }
  const other = await relayed(t, relay);
  other.client.end("meanwhile");
  assert.equal(await textOf(other.program), "meanwhile");
  let received = 0;
  stalled.program.on("data", (chunk) => (received += chunk.length));
  stalled.program.resume();
  stalled.client.end();
  await once(stalled.program, "end");
  assert.equal(received, stalled.client.bytesWritten);
});

function drainsWithin(socket: Socket, milliseconds: number): Promise<boolean> {
  const signal = AbortSignal.timeout(milliseconds);
  return once(socket, "drain", { signal }).then(
    () => true,
    () => false,
  );
}

test("a pair can be reset, and the end of the relay resets all", async (t) => {
  const relay = await SocketRelay.open();
  const [one, other] = [await relayed(t, relay), await relayed(t, relay)];
  const resets = [one, other].flatMap(({ client, program }) => [
    once(client, "error"),
    once(program, "error"),
  ]);
  one.pair.reset();
  await one.pair.ended;
  one.pair.reset();
  await relay[Symbol.asyncDispose]();
  await other.pair.ended;
  for (const [error] of await Promise.all(resets)) assert.equal(error.code, "ECONNRESET");
});
