import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder, whatEscapes } from "../../../test/support/hostile-peer.ts";
import { systemClock } from "../../base/async/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { EngineHttp } from "../http/engine-http.ts";
import { openWebSocket } from "../http/engine-websocket.ts";
import { EventStream } from "./event-stream.ts";

const HALF_A_MESSAGE = Buffer.from([0x81, 50, 0x7b, 0x22]);
const PONG = Buffer.from([0x8a, 0]);

/** How the event stream of an engine breaks. */
const breaks: Readonly<Record<string, (socket: Socket) => void>> = {
  "half a message, then silence": (socket) => socket.write(HALF_A_MESSAGE),
  "half a message, then its end": (socket) => socket.end(HALF_A_MESSAGE),
  "half a message, then a crash": (socket) => socket.write(HALF_A_MESSAGE, () => socket.destroy()),
  "half a message with bytes that are no text": (socket) =>
    socket.write(Buffer.concat([Buffer.from([0x81, 4]), Buffer.from([0xff, 0xff, 0xff, 0xff])])),
  "a frame that is none, then silence": (socket) => socket.write(Buffer.from([0xff, 0xff, 0, 0])),
  "a message that is no JSON": (socket) => socket.write(Buffer.from([0x81, 2, 0x7b, 0x7b])),
  "a close that waits for no answer": (socket) => socket.write(Buffer.from([0x88, 0])),
};

/** An engine whose event stream breaks so, before or after it has answered the first ping. */
async function breaking(path: string, act: (socket: Socket) => void, answersPing: boolean) {
  const broken = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket
      .on("error", () => undefined)
      .once("data", (request) => {
        const key = /^sec-websocket-key: (.*)\r$/im.exec(request.toString())?.[1];
        const accept = createHash("sha1")
          .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          .digest("base64");
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
        socket.once("data", () => {
          if (answersPing) socket.write(PONG);
          act(socket);
          // It reads no more, so it answers no close.
          socket.pause();
          broken.resolve();
        });
      });
  }).listen(path);
  await once(server, "listening");
  return {
    broken: broken.promise,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

test("a socket that is closed does not wait for an engine that hangs", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "engine.sock");
  await using _engine = await breaking(path, () => undefined, false);
  const socket = await openWebSocket({ kind: "unix", path }, "/1.0/operations/x/websocket");
  socket.resume();
  socket.close();
  // The library's own limit is longer than that of a test.
  await once(socket, "close");
});

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
}

for (const [name, act] of Object.entries(breaks)) {
  for (const answersPing of [false, true]) {
    const when = answersPing ? "once it is open" : "before it is open";
    test(`nothing holds the process after an event stream broke ${when}: ${name}`, async () => {
      using escaped = whatEscapes();
      await using folder = await temporaryFolder();
      const path = join(folder.path, "engine.sock");
      await using engine = await breaking(path, act, answersPing);
      const before = timers();
      const http = new EngineHttp({ kind: "unix", path }, silentLogger);
      const stream = new EventStream(http, systemClock, silentLogger);
      using subscription = stream.subscribe({ types: ["operation"] }, () => undefined);
      subscription.ready.catch(() => undefined);
      await engine.broken;
      await new Promise(setImmediate);
      http[Symbol.dispose]();
      await stream[Symbol.asyncDispose]();
      await new Promise(setImmediate);
      assert.equal(timers(), before);
      assert.deepEqual(escaped.seen, []);
    });
  }
}
