import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { ConnectingStream } from "./connecting-stream.ts";

/** A server that hands out its connections, and a stream to it that connects once the gate is open. */
async function serving(gate: Promise<unknown> = Promise.resolve()) {
  const folder = await mkdtemp(join(tmpdir(), "connecting-"));
  const path = join(folder, "socket");
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer({ allowHalfOpen: true }, accepted.resolve).listen(path);
  await once(server, "listening");
  const stream = new ConnectingStream(async (signal) => {
    await gate;
    signal.throwIfAborted();
    const socket = connect({ path, allowHalfOpen: true });
    await once(socket, "connect");
    return socket;
  });
  return {
    stream,
    accepted: accepted.promise,
    async [Symbol.asyncDispose]() {
      stream.destroy();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
}

test("data written before the connection is made arrives, and each side ends on its own", async () => {
  const gate = Promise.withResolvers<void>();
  await using served = await serving(gate.promise);
  served.stream.end("question");
  gate.resolve();
  const socket = await served.accepted;
  assert.equal(await text(socket), "question");
  socket.end("answer");
  assert.equal(await text(served.stream), "answer");
});

test("a failure to connect is an error of the stream", async () => {
  const stream = new ConnectingStream(() => Promise.reject(new Error("nobody there")));
  assert.match(String((await once(stream, "error"))[0]), /nobody there/);
});

test("a stream can be destroyed while it connects, without an error", async () => {
  const gate = Promise.withResolvers<void>();
  await using served = await serving(gate.promise);
  served.stream.destroy();
  gate.resolve();
  await once(served.stream, "close");
  assert.equal(served.stream.errored, null);
});

test("a lost connection closes the stream without an error, also in the middle of a write", async () => {
  await using served = await serving();
  const socket = await served.accepted;
  served.stream.write(Buffer.alloc(4 * 1024 * 1024));
  socket.destroy();
  await once(served.stream, "close");
  assert.equal(served.stream.errored, null);
});

test("a stream that is not read applies back pressure", async () => {
  await using served = await serving();
  const socket = await served.accepted;
  let written = 0;
  const chunk = Buffer.alloc(64 * 1024);
  do written += chunk.length;
  while (socket.write(chunk) || written < 4 * 1024 * 1024);
  socket.end();
  await once(served.stream, "readable");
  assert.ok(served.stream.readableLength < 1024 * 1024, `${served.stream.readableLength} bytes were taken`);
  let read = 0;
  for await (const part of served.stream) read += part.length;
  assert.equal(read, written);
});
