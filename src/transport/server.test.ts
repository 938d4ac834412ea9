import assert from "node:assert/strict";
import { mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import * as http from "node:http";
import * as http2 from "node:http2";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { authorities } from "../../test/support/hostile-bytes.ts";
import { turns, whatEscapes } from "../../test/support/hostile-peer.ts";
import type { Logger } from "../base/logger.ts";
import { Health } from "../contract/grpc/health/v1/health_pb.js";
import { ServerReflection } from "../contract/grpc/reflection/v1/reflection_pb.js";
import { Tremplin, TremplinListener } from "../contract/tremplin_pb.js";
import type { Address, UnixAddress } from "./address.ts";
import { dial } from "./client.ts";
import { health } from "./health.ts";
import { reflection } from "./reflection.ts";
import { responseSent } from "./response-sent.ts";
import { serve } from "./server.ts";

type Options = Partial<Parameters<typeof serve>[0]>;

/** A server on a socket of its own. */
async function serveOnSocket(t: TestContext, options: Options = {}): Promise<UnixAddress> {
  const place = await folder();
  const address = { kind: "unix", path: join(place.path, "t.sock") } as const;
  const server = await serve({ routes, ...options, addresses: [address] });
  t.after(async () => {
    await server[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });
  return address;
}

async function folder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "transport-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

function routes(router: Parameters<typeof reflection>[0]): void {
  router.service(Tremplin, { getDebugInfo: () => ({ debugInformation: "hello" }) });
  health(router, [Tremplin.typeName]);
  reflection(router, [Tremplin]);
}

test("a unix socket is 0600 in a 0700 folder and answers gRPC", async () => {
  await using place = await folder();
  const address: Address = { kind: "unix", path: join(place.path, "run", "t.sock") };
  await using _server = await serve({ addresses: [address], routes });
  assert.equal((await stat(address.path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(place.path, "run"))).mode & 0o777, 0o700);
  using connection = dial(address);
  const answer = await createClient(Tremplin, connection.transport).getDebugInfo({});
  assert.equal(answer.debugInformation, "hello");
});

test("JSON over HTTP/1.1 is answered at the same address", async (t) => {
  const { path: socketPath } = await serveOnSocket(t);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = http.request(
    {
      socketPath,
      method: "POST",
      path: "/vm_tools.tremplin.Tremplin/GetDebugInfo",
      headers: { "content-type": "application/json" },
    },
    (response) => response.setEncoding("utf8").once("data", resolve),
  );
  request.once("error", reject);
  request.end("{}");
  assert.deepEqual(JSON.parse(await promise), { debugInformation: "hello" });
});

test("a stale socket file is replaced, that of a living server and a plain file are not", async () => {
  await using place = await folder();
  const path = join(place.path, "t.sock");
  const address: Address = { kind: "unix", path };
  // A socket file whose server died: bind, then lose the server without unlinking.
  const dead = createServer().listen(`${path}.old`);
  await new Promise((resolve) => dead.once("listening", resolve));
  await rename(`${path}.old`, path);
  await new Promise((resolve) => dead.close(resolve));
  {
    await using _server = await serve({ addresses: [address], routes });
    await assert.rejects(serve({ addresses: [address], routes }), /another program listens there/);
  }
  await rm(path, { force: true });
  await writeFile(path, "precious");
  await assert.rejects(serve({ addresses: [address], routes }), /not a socket/);
});

test("an address that other machines can reach needs TLS, and one that other users can reach a token", async () => {
  const at = (host: string): Address[] => [{ kind: "tcp", host, port: 0 }];
  const tokens = [{ token: "x".repeat(32) }];
  for (const host of ["0.0.0.0", "::", "192.0.2.1", "example.org", "127.0.0.256", "localhost.example.org"]) {
    await assert.rejects(serve({ addresses: at(host), routes, tokens }), /without TLS.*--tls-cert/, host);
  }
  for (const host of ["127.0.0.1", "127.1.2.3", "::1", "localhost"]) {
    await assert.rejects(serve({ addresses: at(host), routes }), /without a token.*--token-file/, host);
    await using _server = await serve({ addresses: at(host), routes, tokens });
  }
});

test("health and reflection answer as gRPC tools expect", async (t) => {
  using connection = dial(await serveOnSocket(t));
  const healthy = await createClient(Health, connection.transport).check({ service: Tremplin.typeName });
  assert.equal(healthy.status, 1);
  async function* ask() {
    yield { messageRequest: { case: "listServices" as const, value: "" } };
    yield { messageRequest: { case: "fileContainingSymbol" as const, value: TremplinListener.typeName } };
    yield { messageRequest: { case: "fileByFilename" as const, value: "nope.proto" } };
  }
  const answers = [];
  for await (const answer of createClient(ServerReflection, connection.transport).serverReflectionInfo(
    ask(),
  )) {
    answers.push(answer.messageResponse);
  }
  assert.deepEqual(
    answers.map((answer) => answer.case),
    ["listServicesResponse", "fileDescriptorResponse", "errorResponse"],
  );
});

test("responseSent resolves after the response was sent, not before", async (t) => {
  const order: string[] = [];
  const { promise: hasSent, resolve } = Promise.withResolvers<void>();
  const address = await serveOnSocket(t, {
    routes: (router) =>
      router.service(Tremplin, {
        getDebugInfo(_request, { values }) {
          values.get(responseSent).then(() => {
            order.push("answered");
            resolve();
          });
          order.push("handled");
          return {};
        },
      }),
  });
  using connection = dial(address);
  await createClient(Tremplin, connection.transport).getDebugInfo({});
  await hasSent;
  assert.deepEqual(order, ["handled", "answered"]);
});

/** What comes back on a connection to which these bytes are written, read one by one, until the server closes it. */
async function said({ path }: UnixAddress, ...pieces: string[]): Promise<string> {
  const socket = connect({ path });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk) => {
    text += chunk;
  });
  socket.once("close", () => resolve(text)).once("error", reject);
  for (const piece of pieces) {
    socket.write(piece, "latin1");
    // Both ends are in this process, so the other has read by then.
    await turns(10);
  }
  return await promise;
}

interface Answer {
  readonly headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;
  /** Whether nothing follows the headers. */
  readonly headersOnly: boolean;
  readonly text: string;
}

/** Asks over HTTP/2 with exactly these headers. */
async function asked(
  { path }: UnixAddress,
  headers: http2.OutgoingHttpHeaders,
  body = "{}",
): Promise<Answer> {
  const session = http2.connect("http://localhost", { createConnection: () => connect({ path }) });
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  session.on("error", reject);
  const stream = session.request({ ":method": "POST", ...headers }).setEncoding("latin1");
  let text = "";
  stream.on("data", (chunk) => {
    text += chunk;
  });
  stream.once("response", (answer, flags) => {
    const headersOnly = (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    stream.once("close", () => resolve({ headers: answer, headersOnly, text }));
  });
  stream.once("error", reject).end(body);
  return await promise.finally(() => session.destroy());
}

const getDebugInfo = "/vm_tools.tremplin.Tremplin/GetDebugInfo";

test("on a Unix socket HTTP/1.1 is served with any host, also without one", async (t) => {
  const address = await serveOnSocket(t);
  const rest = "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
  const requests = [
    ...authorities.map((authority) => `POST ${getDebugInfo} HTTP/1.1\r\nHost: ${authority}\r\n${rest}`),
    `POST ${getDebugInfo} HTTP/1.0\r\n${rest}`,
    ...authorities
      .filter((authority) => /^[!-.0-~]*$/.test(authority))
      .map((authority) => `POST http://${authority}${getDebugInfo} HTTP/1.0\r\n${rest}`),
  ];
  for (const request of requests) {
    const answer = await said(address, request);
    assert.match(answer, /^HTTP\/1.1 200 OK[\s\S]*"hello"/, request);
  }
});

test("on a Unix socket HTTP/2 is served with any authority or host", async (t) => {
  const address = await serveOnSocket(t);
  // What has no place in a header at all, HTTP/2 itself refuses.
  const possible = authorities.filter((authority) => /^[!-.0-?A-~]+$/.test(authority));
  const common = { ":path": getDebugInfo, "content-type": "application/json" };
  for (const authority of possible) {
    for (const names of [
      { ":authority": authority },
      { host: authority },
      { ":authority": "a", host: authority },
    ]) {
      const { headers, text } = await asked(address, { ...common, ...names });
      assert.deepEqual([headers[":status"], text], [200, `{"debugInformation":"hello"}`], authority);
    }
  }
});

test("the first bytes of HTTP/2 may come one by one", async (t) => {
  const settings = "\0\0\0\x04\0\0\0\0\0";
  const goAway = "\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";
  const answer = await said(await serveOnSocket(t), ..."PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", settings, goAway);
  assert.equal(answer[3], "\x04", "it begins with the settings of HTTP/2");
});

test("an unknown rpc is UNIMPLEMENTED for gRPC, in headers only, and a 404 for others", async (t) => {
  const address = await serveOnSocket(t);
  const subtypes = ["", "+proto", "+json", "+thrift", ";charset=utf-8"];
  for (const path of [
    "/vm_tools.tremplin.Tremplin/Nope",
    "/no.Such/Rpc",
    "/",
    "/vm_tools.tremplin.Tremplin",
  ]) {
    for (const type of subtypes.map((subtype) => `application/grpc${subtype}`)) {
      const { headers, headersOnly } = await asked(address, { ":path": path, "content-type": type });
      const { ":status": status, "grpc-status": code } = headers;
      assert.deepEqual([status, code, headersOnly], [200, "12", true], `${path} ${type}`);
    }
    for (const type of ["application/grpc-web+proto", "application/grpc-web-text", "application/json", ""]) {
      const { headers } = await asked(address, { ":path": path, "content-type": type });
      assert.deepEqual([headers[":status"], headers["grpc-status"]], [404, undefined], `${path} ${type}`);
    }
  }
});

test("a handler with a bug is answered with a status and logged once", async (t) => {
  const logged: unknown[] = [];
  const log = { error: ({ error }: { error: unknown }) => logged.push(error) } as unknown as Logger;
  const bug = new TypeError("a bug");
  const throwBug = (): never => {
    throw bug;
  };
  const address = await serveOnSocket(t, {
    log,
    routes(router) {
      router.service(Tremplin, { getDebugInfo: throwBug });
      router.service(Health, { check: throwBug, watch: throwBug });
    },
  });
  using connection = dial(address);
  const isInternal = (error: unknown): boolean => ConnectError.from(error).code === Code.Internal;
  await assert.rejects(createClient(Tremplin, connection.transport).getDebugInfo({}), isInternal);
  const watch = createClient(Health, connection.transport).watch({})[Symbol.asyncIterator]();
  await assert.rejects(watch.next(), isInternal);
  assert.deepEqual(logged, [bug, bug]);
});

test("an HTTP/1.1 server at the other end is only an error of the call", async () => {
  using escaped = whatEscapes();
  await using place = await folder();
  const path = join(place.path, "t.sock");
  const answers: string[] = [];
  const proxy = createServer((socket) =>
    socket.resume().end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
  ).listen(path);
  using connection = dial({ kind: "unix", path });
  const call = (): Promise<unknown> =>
    createClient(Tremplin, connection.transport)
      .getDebugInfo({})
      .catch((error) => answers.push(ConnectError.from(error).message));
  // The second finds the connection of the first as it is lost.
  await call().then(call);
  connection[Symbol.dispose]();
  await new Promise((resolve) => proxy.close(resolve));
  assert.equal(answers.length, 2);
  assert.deepEqual(escaped.seen, []);
});
