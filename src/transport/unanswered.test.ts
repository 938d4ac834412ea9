import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer as createWebServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { temporaryFolder, turns, whatEscapes } from "../../test/support/hostile-peer.ts";
import { Tremplin } from "../contract/tremplin_pb.js";
import type { Address } from "./address.ts";
import { type Connection, dial } from "./client.ts";
import type { Unanswered } from "./unanswered.ts";

function answering(act: (socket: Socket) => void): Server {
  return createServer((socket) => {
    socket.on("error", () => undefined);
    act(socket);
  });
}

/** Programs that are no host, by what they do with a connection. */
const strangers: Readonly<Record<string, () => Server>> = {
  "a web server": () => createWebServer((_request, response) => response.end("hello")),
  "one that closes at once": () => answering((socket) => socket.destroy()),
  "one that ends at once": () => answering((socket) => socket.end()),
  "one that closes after the first bytes": () =>
    answering((socket) => socket.once("data", () => socket.destroy())),
  "one that resets": () => answering((socket) => socket.once("data", () => socket.resetAndDestroy())),
  "ssh, which greets": () => answering((socket) => socket.write("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")),
  "mail, which greets and complains": () =>
    answering((socket) => {
      socket.write("220 mail ESMTP\r\n");
      socket.on("data", () => socket.write("500 bad\r\n"));
    }),
  "redis, which complains": () =>
    answering((socket) => socket.on("data", () => socket.write("-ERR unknown command\r\n"))),
  garbage: () => answering((socket) => socket.write(randomBytes(4096))),
  "garbage and an end": () => answering((socket) => socket.once("data", () => socket.end(randomBytes(90)))),
  zeros: () => answering((socket) => socket.write(Buffer.alloc(100))),
  "the alert of a TLS server": () =>
    answering((socket) => socket.once("data", () => socket.end(Buffer.from("15030300020246", "hex")))),
};

async function listening(server: Server): Promise<AsyncDisposable & { readonly address: Address }> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: { kind: "tcp", host: "127.0.0.1", port },
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function whyNot(connection: Connection): Promise<Unanswered | undefined> {
  const call = createClient(Tremplin, connection.transport).getDebugInfo({}, { timeoutMs: 5_000 });
  return connection.whyUnanswered(
    await call.then(
      () => undefined,
      (thrown) => thrown,
    ),
  );
}

for (const [name, open] of Object.entries(strangers)) {
  test(`another program is recognised, and never ends this one: ${name}`, async () => {
    using escaped = whatEscapes();
    await using server = await listening(open());
    {
      using connection = dial(server.address);
      const found = await Promise.all([whyNot(connection), whyNot(connection)]);
      for (const unanswered of found) {
        assert.ok(unanswered?.kind === "foreign" || unanswered?.kind === "explained");
        assert.match(
          unanswered.reason,
          /(does not speak HTTP\/2, or only with TLS|closed the connection at once: if it expects TLS).*--tls-cert/,
        );
      }
    }
    await turns(20);
    assert.deepEqual(escaped.seen, []);
  });
}

test("a web server that speaks HTTP/2 is recognised", async () => {
  const web = createHttp2Server((_request, response) => response.writeHead(404).end());
  await using server = await listening(web as unknown as Server);
  using connection = dial(server.address);
  const reason = "it is a web server, which answered HTTP 404";
  assert.deepEqual(await whyNot(connection), { kind: "foreign", reason });
});

test("a connection that is given up while it is made ends nothing", async () => {
  using escaped = whatEscapes();
  await using server = await listening(answering((socket) => socket.pause()));
  for (let count = 0; count < 12; count++) {
    const connection = dial(server.address);
    const call = whyNot(connection);
    await turns(count);
    connection[Symbol.dispose]();
    await call;
  }
  await turns(20);
  assert.deepEqual(escaped.seen, []);
});

test("nothing at the address differs from another program there", async () => {
  await using folder = await temporaryFolder();
  using connection = dial({ kind: "unix", path: join(folder.path, "no.sock") });
  assert.deepEqual(await whyNot(connection), { kind: "absent", reason: "nothing listens there" });
});
