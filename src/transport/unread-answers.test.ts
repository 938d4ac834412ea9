import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import type { Handler } from "./answer-calls.ts";
import { Connections, connectionLimits } from "./connections.ts";
import { plainServer } from "./plain-server.ts";

/** More than the system keeps for a connection. */
const LARGE = Buffer.alloc(32 * 1024 * 1024);

/** Answers everybody with more than a connection holds, and knows who asks for "/known". */
async function serveLarge(t: TestContext) {
  const connections = new Connections({ ...connectionLimits, strangersAnswerMs: 100 });
  const asked = new Map<string, () => void>();
  const handler: Handler = (request, response) => {
    if (request.url === "/known") connections.identify(request.socket, "somebody");
    response.end(LARGE);
    asked.get(request.url)?.();
  };
  const server = plainServer(handler, { connections });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  t.after(() => server.close());
  return {
    port,
    asked,
    count: () => new Promise<number>((resolve) => server.getConnections((_, n) => resolve(n))),
  };
}

type Server = Awaited<ReturnType<typeof serveLarge>>;

/** Asks, and reads nothing of the answer. */
async function askAndStop(t: TestContext, { port, asked }: Server, path: string): Promise<Socket> {
  const arrived = new Promise<void>((resolve) => asked.set(path, resolve));
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => undefined).pause();
  t.after(() => socket.destroy());
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  await arrived;
  return socket;
}

/** Also of a connection that was reset. */
function closed(connection: { once(event: "close", listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => connection.once("close", resolve));
}

test("an answer that a stranger does not read is thrown away; one of somebody known waits", async (t) => {
  const server = await serveLarge(t);
  const known = await askAndStop(t, server, "/known");
  const strangers = await Promise.all(Array.from({ length: 50 }, (_, at) => askAndStop(t, server, `/${at}`)));
  const reset = strangers.map(closed);
  // Only who reads notices a reset.
  while ((await server.count()) > 1) await new Promise((resolve) => setTimeout(resolve, 10));
  for (const each of strangers) each.resume();
  await Promise.all(reset);
  let bytes = 0;
  known.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LARGE.length) known.destroy();
  });
  known.resume();
  await closed(known);
  assert.ok(bytes > LARGE.length);
});

test("a stream of HTTP/2 that takes no data is ended with its connection", async (t) => {
  const { port } = await serveLarge(t);
  const session: ClientHttp2Session = connectHttp2(`http://127.0.0.1:${port}`, {
    settings: { initialWindowSize: 0 },
  });
  session.on("error", () => undefined);
  t.after(() => session.destroy());
  const stream = session.request({ ":path": "/" });
  stream.on("error", () => undefined);
  await once(stream, "response");
  await closed(session);
});

test("one that is read slowly, but within the time, is answered whole", async (t) => {
  const { port } = await serveLarge(t);
  const answer = await fetch(`http://127.0.0.1:${port}/known`);
  assert.equal((await answer.arrayBuffer()).byteLength, LARGE.length);
});
