import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { silentLogger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { BoundedBody } from "./bounded-body.ts";
import { EngineHttp } from "./engine-http.ts";

/** A client of a server that misbehaves in ways that a real engine is hard to bring to. */
async function talkingTo(listener: RequestListener) {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "engine-http-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const path = join(folder, "socket");
  const server = createServer(listener).listen(path);
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, "listening");
  const http = stack.use(new EngineHttp({ kind: "unix", path }, silentLogger));
  const owned = stack.move();
  return { http, server, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const get = { method: "GET", path: "/1.0" } as const;
const sync = (metadata: unknown) => JSON.stringify({ type: "sync", metadata });
const withCode = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof TremplinError && error.code === code && message.test(error.message);

test("an engine that never answers is unavailable after the limit", async () => {
  await using talk = await talkingTo(() => undefined);
  const asking = talk.http.call({ ...get, timeoutMs: 30 });
  await assert.rejects(asking, withCode("unavailable", /did not answer GET \/1\.0 within 0\.03 s/));
});

test("an engine that stops in the middle of its response is unavailable after the limit", async () => {
  await using talk = await talkingTo((_request, response) => void response.write('{"type":'));
  await assert.rejects(talk.http.call({ ...get, timeoutMs: 30 }), withCode("unavailable", /within 0\.03 s/));
});

test("an abort rejects with its reason before, during and in the middle of the response", async () => {
  await using talk = await talkingTo((_request, response) => void response.write("{"));
  const reason = new Error("enough");
  await assert.rejects(talk.http.call({ ...get, signal: AbortSignal.abort(reason) }), reason);
  const aborting = new AbortController();
  const asking = talk.http.call({ ...get, signal: aborting.signal });
  await once(talk.server, "request");
  aborting.abort(reason);
  await assert.rejects(asking, reason);
});

test("a response that is not JSON is failed, with the status", async () => {
  await using talk = await talkingTo((_request, response) => void response.writeHead(502).end("<html>"));
  await assert.rejects(talk.http.call(get), withCode("failed", /HTTP 502 Bad Gateway/));
});

test("only the engine's own 404 is not-found", async () => {
  let body = JSON.stringify({ type: "error", error: "Instance not found", error_code: 404 });
  await using talk = await talkingTo((_request, response) => void response.writeHead(404).end(body));
  await assert.rejects(talk.http.call(get), withCode("not-found", /Instance not found/));
  for (body of ["", "<html>404</html>", '{"message":"no route"}', "null"]) {
    await assert.rejects(talk.http.call(get), withCode("unavailable", /is no engine/));
  }
});

test("a GET is repeated on a new connection when the engine has closed an idle one", async () => {
  let asked = 0;
  await using talk = await talkingTo((request, response) => {
    asked++;
    // The second request comes over the first one's connection, and is met by its end.
    if (asked === 2) request.socket.destroy();
    else response.end(sync(asked));
  });
  assert.equal((await talk.http.call(get)).metadata, 1);
  assert.equal((await talk.http.call(get)).metadata, 3);
  asked = 1;
  await assert.rejects(talk.http.call({ method: "POST", path: "/1.0" }), withCode("unavailable", /POST/));
});

test("a long upload may take any time, but not without progress", async () => {
  await using talk = await talkingTo((request, response) => {
    request.resume().once("end", () => response.end(sync("done")));
  });
  const slowly = async function* (chunks: number, pause: number) {
    for (let sent = 0; sent < chunks; sent++) {
      await setTimeout(pause);
      yield Buffer.from("x");
    }
  };
  const post = { method: "POST", path: "/1.0", timeoutMs: 200 } as const;
  const moving = talk.http.call({ ...post, raw: Readable.from(slowly(10, 50)) });
  assert.equal((await moving).metadata, "done");
  const still = Readable.from(slowly(2, 600));
  await assert.rejects(talk.http.call({ ...post, raw: still }), withCode("unavailable", /within 0\.2 s/));
  await assert.rejects(finished(still), /aborted/);
});

test("closing rejects running requests", async () => {
  await using talk = await talkingTo(() => undefined);
  const asking = talk.http.call(get);
  await once(talk.server, "request");
  talk.http[Symbol.dispose]();
  await assert.rejects(asking, withCode("unavailable", /was closed/));
});

test("a body fails without progress for a waiting reader, and when it is interrupted", async () => {
  await using talk = await talkingTo((request, response) => {
    response.write("0123456789");
    if (request.url === "/whole") response.end();
    if (request.url === "/broken") setImmediate(() => request.socket.destroy());
  });
  const open = async (path: string, limits: { timeoutMs?: number; signal?: AbortSignal }) =>
    new BoundedBody(await talk.http.open({ method: "GET", path }), limits);
  assert.equal(String(Buffer.concat(await (await open("/whole", {})).toArray())), "0123456789");
  const still = await open("/still", { timeoutMs: 30 });
  await assert.rejects(still.toArray(), withCode("unavailable", /nothing for 0\.03 s/));
  const broken = await open("/broken", {});
  await assert.rejects(broken.toArray(), withCode("unavailable", /was interrupted/));
  const aborted = await open("/still", { signal: AbortSignal.timeout(30) });
  await assert.rejects(aborted.toArray(), /aborted|timeout/i);
  const unread = await open("/whole", { timeoutMs: 30 });
  await setTimeout(100);
  assert.equal(unread.destroyed, false, "a reader that takes its time is not late");
  unread.destroy();
  await once(unread, "close");
});
