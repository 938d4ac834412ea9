import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { certificatesOf } from "../../test/support/certificates-of.ts";
import { systemClock } from "../base/async/clock.ts";
import { LogLimit } from "../base/log-limit.ts";
import { silentLogger } from "../base/logger.ts";
import {
  Health,
  HealthCheckResponse_ServingStatus as Serving,
} from "../contract/grpc/health/v1/health_pb.js";
import { type AnswerOptions, answerCalls, type Handler } from "./answer-calls.ts";
import { callerText } from "./caller.ts";
import { Connections, connectionLimits } from "./connections.ts";
import { plainServer } from "./plain-server.ts";
import { secureServer } from "./secure-server.ts";
import type { Tls } from "./tls.ts";

/** Long enough that it never passes in a test. */
const NEVER_MS = 600_000;
const limits = {
  ...connectionLimits,
  mostKnown: 8,
  mostUnknown: 8,
  firstRequestMs: NEVER_MS,
  nextRequestMs: NEVER_MS,
};

/** Serves the health of "" at once, that of "slow" never. */
function handlerFor(connections: Connections, admit?: AnswerOptions["admit"]): Handler {
  return answerCalls({
    routes: (router) =>
      router.service(Health, {
        check: async ({ service }, { signal }) => {
          if (service === "slow") await once(signal, "abort");
          return { status: Serving.SERVING };
        },
      }),
    log: silentLogger,
    onAdmitted: (socket, caller) => connections.identify(socket, callerText(caller)),
    ...(admit && { admit }),
  });
}

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  t.after(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Resolves with the status line of the answer, or "closed". */
async function call(socket: Socket, service: string, token = ""): Promise<string> {
  const body = JSON.stringify({ service });
  const headers = [
    "POST /grpc.health.v1.Health/Check HTTP/1.1",
    "host: localhost",
    `authorization: ${token}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
  ];
  socket.write(`${headers.join("\r\n")}\r\n\r\n${body}`);
  const closed = once(socket, "close").then(() => "closed");
  const answered = once(socket, "data").then(([chunk]) => `${chunk}`.split("\r\n", 1)[0] as string);
  return await Promise.race([answered, closed]);
}

function ignoreErrors<S extends Socket>(t: TestContext, socket: S): S {
  socket.on("error", () => undefined);
  t.after(() => socket.destroy());
  return socket;
}

const clear = (t: TestContext, port: number) => ignoreErrors(t, connect(port, "127.0.0.1"));

async function secureHealth(t: TestContext, tls: Tls, most = {}): Promise<number> {
  const connections = new Connections({ ...limits, ...most });
  const logging = { log: silentLogger, limit: new LogLimit(systemClock) };
  return await listen(t, secureServer(tls, handlerFor(connections), connections, logging));
}

async function secure(t: TestContext, port: number, { cert, key, ca }: Tls): Promise<Socket> {
  const socket = ignoreErrors(
    t,
    connectTls({ port, host: "127.0.0.1", cert, key, ca, ALPNProtocols: ["http/1.1"] }),
  );
  await once(socket, "secureConnect");
  return socket;
}

test("a caller with a certificate that fills the server with calls keeps no other out, and loses no other's", async (t) => {
  const [host, evil, good] = await certificatesOf(
    t,
    { kind: "host" },
    { kind: "client", name: "evil" },
    { kind: "client", name: "good" },
  );
  const port = await secureHealth(t, host as Tls);
  const patient = await secure(t, port, good as Tls);
  const answer = call(patient, "slow");
  const attackers: Promise<string>[] = [];
  for (let count = 0; count < 20; count++) {
    attackers.push(call(await secure(t, port, evil as Tls), "slow"));
    if (count % 5 === 0) assert.match(await call(await secure(t, port, good as Tls), ""), /200/);
  }
  assert.ok((await Promise.all(attackers.slice(0, 8))).every((outcome) => outcome === "closed"));
  assert.equal(await Promise.race([answer, "still waiting"]), "still waiting");
});

for (const [what, bytes] of Object.entries({
  "that say nothing": Buffer.alloc(0),
  // A record of a handshake that announces 512 bytes.
  "that stop in the middle": Buffer.from([22, 3, 1, 2, 0, 1]),
})) {
  test(`unfinished TLS handshakes ${what} are bounded in number and keep nobody out`, async (t) => {
    const [host, good] = await certificatesOf(t, { kind: "host" }, { kind: "client", name: "good" });
    const port = await secureHealth(t, host as Tls);
    const working = await secure(t, port, good as Tls);
    const attackers = Array.from({ length: 30 }, () => clear(t, port).resume());
    for (const each of attackers) each.write(bytes);
    const gone = Promise.all(attackers.slice(0, 30 - limits.mostUnknown).map((each) => closed(each)));
    await gone;
    assert.match(await call(working, ""), /200/);
    assert.match(await call(await secure(t, port, good as Tls), ""), /200/);
    assert.ok(attackers.filter((each) => !each.destroyed).length <= limits.mostUnknown);
  });
}

test("a handshake that goes on byte by byte ends when its time is over", async (t) => {
  const [host] = await certificatesOf(t, { kind: "host" });
  const port = await secureHealth(t, host as Tls, { firstRequestMs: 300 });
  const slow = clear(t, port).resume();
  const end = closed(slow);
  slow.write(Buffer.from([22, 3, 1, 2, 0, 1]));
  // A timeout that each byte renews would never pass.
  const dripping = setInterval(() => slow.write(Buffer.from([0])), 20);
  await end.finally(() => clearInterval(dripping));
});

test("who has no token takes no place of those who have; a token that fills the server displaces itself", async (t) => {
  const connections = new Connections(limits);
  const handler = handlerFor(connections, ({ headers: { authorization = "" } }) =>
    authorization.startsWith("guest")
      ? { caller: { kind: "token", guest: authorization } }
      : { refusal: { code: 16, sentence: "no token" } },
  );
  const port = await listen(t, plainServer(handler, { connections }));
  const patient = call(clear(t, port), "slow", "guest good");
  for (let count = 0; count < 20; count++) void call(clear(t, port), "slow", "guest evil");
  const strangers = Array.from({ length: 30 }, () => clear(t, port));
  assert.match(await call(strangers[0] as Socket, ""), /401|closed/);
  await Promise.all(strangers.slice(1, 20).map((each) => closed(each.resume())));
  for (let count = 0; count < 5; count++) {
    assert.match(await call(clear(t, port), "", "guest good"), /200/);
  }
  assert.equal(await Promise.race([patient, "still waiting"]), "still waiting");
});

/** A server that closes a connection with bytes that it has not read resets it. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on("error", () => undefined).once("close", () => resolve());
  });
}
