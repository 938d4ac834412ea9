import assert from "node:assert/strict";
import * as http from "node:http";
import * as http2 from "node:http2";
import { after, before, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import fc from "fast-check";
import { authorities } from "../../test/support/hostile-bytes.ts";
import { Tremplin } from "../contract/tremplin_pb.js";
import type { Address } from "./address.ts";
import { refuseBrowser } from "./browser-guard.ts";
import { dial } from "./client.ts";
import { type RpcServer, serve } from "./server.ts";

const token = "0123456789abcdef0123456789abcdef";
const authorization = `Bearer ${token}`;
const path = "/vm_tools.tremplin.Tremplin/GetDebugInfo";
let server: RpcServer;
let port: number;
let calls = 0;

before(async () => {
  server = await serve({
    addresses: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
    tokens: [{ token }],
    routes: (router) =>
      void router.service(Tremplin, {
        getDebugInfo() {
          calls += 1;
          return { debugInformation: "hello" };
        },
      }),
  });
  port = (server.addresses[0] as { port: number }).port;
});
after(() => server[Symbol.asyncDispose]());

type Headers = Record<string, string>;

/** The status of a request over HTTP/1.1, and whether a handler was called. */
async function post(
  headers: Headers,
  body = "{}",
  method = "POST",
): Promise<[status: number, handled: boolean]> {
  const before = calls;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const options = {
    port,
    host: "127.0.0.1",
    method,
    path,
    headers,
    setHost: !("host" in headers),
    agent: false,
  };
  const request = http.request(options, (response) => {
    response.resume().once("end", () => resolve(response.statusCode ?? 0));
  });
  request.once("error", reject).end(method === "POST" ? body : undefined);
  return [await promise, calls > before];
}

/** The same over HTTP/2. */
async function post2(headers: Headers): Promise<[status: number, handled: boolean]> {
  const before = calls;
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  session.once("error", reject);
  const stream = session.request({ ":method": "POST", ":path": path, ...headers });
  stream.once("response", (answer) => {
    stream.resume().once("close", () => resolve(Number(answer[":status"])));
  });
  stream.once("error", reject).end("{}");
  return [await promise.finally(() => session.destroy()), calls > before];
}

const json = { "content-type": "application/json", authorization };
/** Names for which a browser could have asked a name server, and what is no name at all. */
const foreignHost = fc
  .tuple(
    fc.oneof(
      fc.domain(),
      fc.constantFrom(
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "a",
        "127.1",
        "0x7f.0.0.1",
      ),
      fc.constantFrom(...authorities.filter((name) => /^[!-~]+$/.test(name) && name !== "999.999.999.999")),
    ),
    fc.constantFrom("", ":80", ":7000"),
  )
  .map(([name, suffix]) => `${name}${suffix}`);
const runs = { numRuns: 40 };

test("a request in the name of another site is refused, with either version of HTTP", async () => {
  await fc.assert(
    fc.asyncProperty(foreignHost, async (host) => {
      assert.deepEqual(await post({ ...json, host }), [421, false]);
    }),
    runs,
  );
  const possible = foreignHost.filter((host) => /^[!-.0-?A-~]+$/.test(host));
  await fc.assert(
    fc.asyncProperty(possible, fc.constantFrom(":authority", "host", "both"), async (foreign, where) => {
      const names = where === "both" ? { ":authority": "localhost", host: foreign } : { [where]: foreign };
      assert.deepEqual(await post2({ ...json, ...names }), [421, false]);
    }),
    runs,
  );
});

test("localhost and every IP address name the server", async () => {
  const address = fc.oneof(
    fc.constantFrom("localhost", "LOCALHOST", "127.0.0.1"),
    fc.ipV4(),
    fc.ipV6().map((text) => `[${text}]`),
  );
  await fc.assert(
    fc.asyncProperty(address, fc.constantFrom("", ":80"), async (name, suffix) => {
      assert.deepEqual(await post({ ...json, host: `${name}${suffix}` }), [200, true]);
    }),
    runs,
  );
  assert.deepEqual(await post2({ ...json, ":authority": "[::1]:80" }), [200, true]);
});

test("whatever has an origin is refused, also with the token and the right host, also before a change of sites", async () => {
  const origin = fc.oneof(
    fc.webUrl(),
    fc.constantFrom("null", "http://localhost", `http://127.0.0.1:${port}`, ""),
  );
  await fc.assert(
    fc.asyncProperty(origin, fc.constantFrom("Origin", "ORIGIN", "origin"), async (value, name) => {
      assert.deepEqual(await post({ ...json, [name]: value }), [403, false]);
    }),
    runs,
  );
  const preflight = { origin: "http://evil.example", "access-control-request-method": "POST" };
  assert.deepEqual(await post(preflight, "", "OPTIONS"), [403, false]);
  assert.deepEqual(await post2({ ...json, origin: "http://localhost" }), [403, false]);
});

test("what a form or a plain request of a page can send is no call", async () => {
  const types = [
    ...[
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "text/html",
      "*/*",
    ],
    ...[
      "text/plain; application/json",
      "application/jsonx",
      "xapplication/json",
      "",
      "application/octet-stream",
    ],
  ];
  for (const type of types) {
    assert.deepEqual(await post({ ...json, "content-type": type }), [415, false], type);
  }
  assert.deepEqual(await post({ authorization }), [415, false]);
  for (const method of ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    const [status, handled] = await post(json, "", method);
    assert.deepEqual([status, handled], [405, false], method);
  }
});

test("without the token nobody is served, in each protocol", async () => {
  for (const wrong of ["", "Bearer", "Bearer x", `Basic ${token}`, `Bearer ${token}0`, token]) {
    assert.deepEqual(await post({ ...json, authorization: wrong }), [401, false], wrong);
  }
  const address = server.addresses[0] as Address;
  using stranger = dial(address);
  await assert.rejects(
    createClient(Tremplin, stranger.transport).getDebugInfo({}),
    /\[unauthenticated\] this address is served only with the right token.*--token-file/,
  );
  using friend = dial(address, { token });
  assert.equal((await createClient(Tremplin, friend.transport).getDebugInfo({})).debugInformation, "hello");
});

test("a request without any name is refused on tcp, and each of several must be a name of the server", () => {
  const isOwnName = (name: string) => name === "vm.example";
  assert.match(refuseBrowser(["Content-Type", "x"], isOwnName)?.sentence ?? "", /must name this server/);
  assert.equal(refuseBrowser(["HOST", "vm.example:7"], isOwnName), undefined);
  assert.ok(refuseBrowser(["host", "vm.example", "host", "evil.example"], isOwnName));
  assert.ok(refuseBrowser(["host", "a b"], () => true));
  assert.equal(refuseBrowser(["host", "run%2Fguest.sock"], undefined), undefined);
  assert.ok(refuseBrowser(["origin", "x"], undefined));
});
