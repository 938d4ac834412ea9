import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { silentLogger } from "../base/logger.ts";
import {
  Health,
  HealthCheckResponse_ServingStatus as Serving,
} from "../contract/grpc/health/v1/health_pb.js";
import { answerCalls } from "./answer-calls.ts";
import { type ConnectionLimits, Connections } from "./connections.ts";
import { plainServer } from "./plain-server.ts";

/** Long enough that it never passes in a test. */
const NEVER_MS = 600_000;
const SOON_MS = 50;

interface Options extends Partial<ConnectionLimits> {
  readonly bodyTimeoutMs?: number;
}

/** Serves the health of "" at once, that of "slow" never. Returns its socket. `slow` is called for "slow". */
async function serveHealth(
  t: TestContext,
  { bodyTimeoutMs = NEVER_MS, ...limits }: Options,
  slow: () => void = () => undefined,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "connections-"));
  const handler = answerCalls({
    routes: (router) =>
      router.service(Health, {
        check: async ({ service }, { signal }) => {
          if (service === "slow") {
            slow();
            await once(signal, "abort");
          }
          return { status: Serving.SERVING };
        },
      }),
    log: silentLogger,
    bodyTimeoutMs,
  });
  const connections = new Connections({
    mostKnown: 100,
    mostUnknown: 100,
    firstRequestMs: NEVER_MS,
    nextRequestMs: NEVER_MS,
    strangersAnswerMs: NEVER_MS,
    ...limits,
  });
  const server = plainServer(handler, { connections, callerOf: () => ({ kind: "local" }) });
  const path = join(folder, "socket");
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  t.after(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });
  return path;
}

function open(t: TestContext, path: string): Socket {
  const socket = connect(path);
  socket.on("error", () => undefined);
  t.after(() => socket.destroy());
  return socket;
}

function request(service: string, length?: number): string {
  const body = JSON.stringify({ service });
  return [
    "POST /grpc.health.v1.Health/Check HTTP/1.1",
    "host: localhost",
    "content-type: application/json",
    `content-length: ${length ?? body.length}`,
    "",
    body,
  ].join("\r\n");
}

async function answerOf(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, "data")) as [Buffer];
  return chunk.toString().split("\r\n")[0] ?? "";
}

test("with too many connections the one that is idle longest is closed, never one with a request", async (t) => {
  const began = Promise.withResolvers<void>();
  const path = await serveHealth(t, { mostKnown: 3 }, began.resolve);
  const [busy, oldest, newer] = [open(t, path), open(t, path), open(t, path)];
  busy.write(request("slow"));
  await began.promise;
  for (const socket of [oldest, newer]) {
    socket.write(request(""));
    assert.match(await answerOf(socket), /200/);
  }
  const last = open(t, path);
  oldest.resume();
  await once(oldest, "close");
  last.write(request(""));
  assert.match(await answerOf(last), /200/);
  assert.deepEqual([busy.destroyed, newer.destroyed], [false, false]);
});

test("when all connections of the only caller have a request, a new one takes the place of the oldest", async (t) => {
  const began = Promise.withResolvers<void>();
  const path = await serveHealth(t, { mostKnown: 1 }, began.resolve);
  const busy = open(t, path);
  busy.write(request("slow"));
  await began.promise;
  const newest = open(t, path);
  await once(busy.resume(), "close");
  newest.write(request(""));
  assert.match(await answerOf(newest), /200/);
});

for (const [what, bytes] of Object.entries({
  nothing: "",
  "half a header": "POST / HTTP/1.1\r\nhost: a\r\nx-a",
  "part of the first bytes of HTTP/2": "PR",
  "the first bytes of HTTP/2 alone": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
})) {
  test(`a connection that sends ${what} is closed after a while`, async (t) => {
    const socket = open(t, await serveHealth(t, { firstRequestMs: SOON_MS }));
    socket.write(bytes);
    socket.resume();
    await once(socket, "close");
  });
}

test("a connection of HTTP/1.1 is kept between requests, and no shorter time is promised", async (t) => {
  const socket = open(t, await serveHealth(t, {}));
  for (let call = 0; call < 2; call++) {
    socket.write(request(""));
    const [answer] = (await once(socket, "data")) as [Buffer];
    // Node names the time after which it closes the connection itself.
    assert.doesNotMatch(`${answer}`, /keep-alive: timeout/i);
  }
});

test("half of the next header on a connection of HTTP/1.1 is not waited for either", async (t) => {
  const socket = open(t, await serveHealth(t, { nextRequestMs: SOON_MS }));
  socket.write(request(""));
  assert.match(await answerOf(socket), /200/);
  socket.write("POST / HT");
  socket.resume();
  await once(socket, "close");
});

test("a message that stops in the middle is not waited for", async (t) => {
  const socket = open(t, await serveHealth(t, { bodyTimeoutMs: SOON_MS }));
  socket.write(request("", 1000));
  socket.resume();
  await once(socket, "close");
});

test("a client of HTTP/2 may wait with its first call, and between calls", async (t) => {
  const path = await serveHealth(t, { firstRequestMs: SOON_MS, nextRequestMs: SOON_MS });
  const silent = open(t, path);
  const session: ClientHttp2Session = connectHttp2("http://localhost", {
    createConnection: () => open(t, path),
  });
  t.after(() => session.destroy());
  await once(session, "remoteSettings");
  // The silent connection was opened earlier, so the time of the session has passed as well.
  silent.resume();
  await once(silent, "close");
  for (let call = 0; call < 2; call++) {
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/json",
    });
    stream.end("{}");
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    assert.equal(headers[":status"], 200);
  }
});
