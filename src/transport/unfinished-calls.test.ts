import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { createClient } from "@connectrpc/connect";
import { hostileRoutes } from "../../test/support/hostile-peer.ts";
import { silentLogger } from "../base/logger.ts";
import { Health } from "../contract/grpc/health/v1/health_pb.js";
import type { TcpAddress } from "./address.ts";
import { answerCalls } from "./answer-calls.ts";
import { CallBudget } from "./call-budget.ts";
import { dial } from "./client.ts";
import { plainServer } from "./plain-server.ts";
import { MAX_MESSAGE_BYTES } from "./unfinished-messages.ts";

const MIB = 1024 * 1024;
const RESOURCE_EXHAUSTED = "8";

const limits = { bytesOfCall: 32 * 1024, bytesOfCaller: 4 * MIB, bytesOfServer: 8 * MIB };

/** Serves whoever names itself, each with its own part of a small budget. */
async function serveGuests(t: TestContext, budget = new CallBudget(limits)): Promise<TcpAddress> {
  const handler = answerCalls({
    routes: hostileRoutes,
    log: silentLogger,
    admit: ({ headers }) => ({ caller: { kind: "token", guest: headers.authorization } }),
    budget,
  });
  const server = plainServer(handler);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => void server.close());
  return { kind: "tcp", host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

/** Whether a guest that sends little is answered. */
async function isAnswered(place: TcpAddress): Promise<boolean> {
  using connection = dial(place, { token: "good" });
  return (await createClient(Health, connection.transport).check({})).status === 1;
}

function attack(t: TestContext, { host, port }: TcpAddress): ClientHttp2Session {
  const session = connect(`http://${host}:${port}`, { maxSessionMemory: 1_000 });
  session.on("error", () => undefined);
  t.after(() => session.destroy());
  return session;
}

function begin(session: ClientHttp2Session, path: string, headers = {}): ClientHttp2Stream {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    ...{ "content-type": "application/grpc", te: "trailers", authorization: "evil", ...headers },
  });
  stream.on("error", () => undefined).resume();
  return stream;
}

/** All but the last byte of a message. */
const unfinished = Buffer.alloc(MAX_MESSAGE_BYTES + 4);
unfinished.writeUInt32BE(MAX_MESSAGE_BYTES, 1);

/** The status of the answer. Not every one has trailers. */
async function statusOf(stream: ClientHttp2Stream): Promise<string> {
  const named = (headers: Record<string, unknown>) => headers["grpc-status"] as string | undefined;
  const first = once(stream, "response").then(([headers]) => named(headers));
  const last = once(stream, "trailers").then(([headers]) => named(headers));
  return (await first) ?? ((await last) as string);
}

for (const [what, path] of [
  ["alone", "/grpc.health.v1.Health/Check"],
  ["in streams", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"],
] as const) {
  test(`unfinished messages ${what} are kept up to the part of their caller, and others are answered`, async (t) => {
    const budget = new CallBudget(limits);
    const place = await serveGuests(t, budget);
    const sessions = [attack(t, place), attack(t, place)];
    const fit = Math.floor(limits.bytesOfCaller / MAX_MESSAGE_BYTES);
    const streams = sessions.flatMap((session) => Array.from({ length: 20 }, () => begin(session, path)));
    const refused: string[] = [];
    let most = 0;
    const enough = Promise.withResolvers<void>();
    for (const stream of streams) {
      void statusOf(stream).then((status) => {
        most = Math.max(most, budget.bytes);
        if (refused.push(status) === streams.length - fit) enough.resolve();
      });
      stream.write(unfinished);
    }
    await enough.promise;
    assert.deepEqual(new Set(refused), new Set([RESOURCE_EXHAUSTED]));
    assert.ok(most <= limits.bytesOfCaller, `${most} bytes`);
    assert.ok(await isAnswered(place));
  });
}

test("with too many calls that last, a new one takes the place of the oldest of its caller", async (t) => {
  const place = await serveGuests(t);
  const most = limits.bytesOfCaller / limits.bytesOfCall;
  const session = attack(t, place);
  const watch = () => {
    const stream = begin(session, "/grpc.health.v1.Health/Watch");
    stream.end(Buffer.alloc(5));
    return stream;
  };
  const lasting = Array.from({ length: most }, watch);
  await Promise.all(lasting.map((stream) => once(stream, "response")));
  assert.ok(await isAnswered(place), "another caller");
  const closed = new Promise((resolve) => lasting[0]?.once("close", resolve));
  const [headers] = await once(watch(), "response");
  assert.equal(headers["grpc-status"], undefined);
  await closed;
  assert.equal(lasting[0]?.rstCode, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  assert.equal(lasting.filter((stream) => stream.closed).length, 1);
});

test("a message that becomes large only when it is unpacked is refused", async (t) => {
  const place = await serveGuests(t);
  const packed = gzipSync(Buffer.alloc(20 * MIB));
  const body = Buffer.concat([Buffer.from([1, 0, 0, 0, 0]), packed]);
  body.writeUInt32BE(packed.length, 1);
  const stream = begin(attack(t, place), "/grpc.health.v1.Health/Check", { "grpc-encoding": "gzip" });
  stream.end(body);
  assert.equal(await statusOf(stream), RESOURCE_EXHAUSTED);
});
