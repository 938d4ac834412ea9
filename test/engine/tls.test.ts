import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { Tremplin } from "../../src/contract/tremplin_pb.js";
import type { Address } from "../../src/transport/address.ts";
import { dial } from "../../src/transport/client.ts";
import { type RpcServer, serve } from "../../src/transport/server.ts";
import { readTls, type Tls } from "../../src/transport/tls.ts";
import { hostileRoutes, provoke } from "../support/hostile-peer.ts";
import { type KeptFolder, keptFolder } from "../support/keeper.ts";
import { execute } from "../support/system-state.ts";

let folder: KeptFolder;
let ours: Tls;
let strangers: Tls;
let server: RpcServer;

/** An authority of its own and one certificate of it, for both sides. */
async function certificates(name: string): Promise<Tls> {
  const path = (file: string): string => join(folder.path, `${name}-${file}`);
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const authority = ["-keyout", path("ca.key"), "-out", path("ca.crt"), "-subj", `/CN=${name}`];
  await execute("openssl", ["req", "-x509", ...curve, ...authority]);
  const own = ["-keyout", path("key"), "-out", path("crt"), "-subj", "/CN=localhost"];
  const names = [
    "-addext",
    "subjectAltName=DNS:localhost,IP:127.0.0.1",
    "-addext",
    "basicConstraints=CA:FALSE",
  ];
  const signed = ["-CA", path("ca.crt"), "-CAkey", path("ca.key")];
  await execute("openssl", ["req", "-x509", ...curve, ...own, ...names, ...signed]);
  return readTls({ cert: path("crt"), key: path("key"), ca: path("ca.crt") }) as Tls;
}

before(async () => {
  folder = await keptFolder();
  ours = await certificates("ours");
  strangers = await certificates("strangers");
  server = await serve({
    addresses: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
    tls: ours,
    routes: hostileRoutes,
  });
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function ask(tls: Tls | undefined): Promise<string> {
  using connection = dial(server.addresses[0] as Address, { tls });
  const client = createClient(Tremplin, connection.transport);
  return (await client.getDebugInfo({}, { timeoutMs: 5_000 })).debugInformation;
}

test("who shows a certificate of our authority is answered", async () => {
  assert.equal(await ask(ours), "hello");
});

test("who shows none, a stranger's, or speaks in the clear is not", async () => {
  const outcasts = [{ ...strangers, ca: ours.ca }, strangers, undefined];
  for (const tls of outcasts) {
    await assert.rejects(ask(tls), (error) => {
      assert.notEqual(ConnectError.from(error).code, Code.DeadlineExceeded, "it hangs");
      return true;
    });
  }
});

test("nothing that is sent to a listener with TLS ends the process, inside of it or in the clear", async () => {
  const address = server.addresses[0] as {
    readonly kind: "tcp";
    readonly host: string;
    readonly port: number;
  };
  await provoke(address, { tls: ours });
  for (const ALPNProtocols of [["h2"], ["http/1.1"], []]) {
    const inside = async () => {
      const socket = connectTls({ ...address, ...ours, ALPNProtocols });
      await once(socket, "secureConnect");
      return socket;
    };
    await provoke(address, { tls: ours, open: inside });
  }
});

test("half of the files is a clear refusal", () => {
  assert.throws(() => readTls({ cert: "/x" }), /all three of --tls-cert, --tls-key and --tls-ca/);
  assert.throws(() => readTls({ cert: "/x", key: "/x", ca: "/x" }), /cannot read \/x for TLS/);
});
