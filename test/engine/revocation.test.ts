import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { systemClock } from "../../src/base/async/clock.ts";
import {
  Health,
  HealthCheckResponse_ServingStatus as Serving,
} from "../../src/contract/grpc/health/v1/health_pb.js";
import { type Connection, dial } from "../../src/transport/client.ts";
import type { Role } from "../../src/transport/role.ts";
import { serve } from "../../src/transport/server.ts";
import { readTls, type Tls } from "../../src/transport/tls.ts";
import { Authority } from "../../src/trust/authority.ts";

const hostRole: Role = { kind: "host" };
const vm: Role = { kind: "guest", name: "vm" };

/** The authority, and the TLS of each side; only that of `watching` has its file `revoked`. */
async function bothSides(t: TestContext, watching: "client" | "server") {
  const folder = await mkdtemp(join(tmpdir(), "revocation-"));
  t.after(() => rm(folder, { recursive: true }));
  const authority = new Authority(join(folder, "trust"), systemClock);
  const tlsOf = async (role: Role, watches: boolean): Promise<Tls> => {
    const { cert, key } = await authority.issue(role, { renew: true });
    const revoked = watches ? {} : { revoked: join(folder, "none") };
    return readTls({ cert, key, ca: authority.certificate, ...revoked }) as Tls;
  };
  const server = await tlsOf(vm, watching === "server");
  return { authority, server, client: await tlsOf(hostRole, watching === "client") };
}

/** A server, and a connection to it. */
async function connected(
  t: TestContext,
  { server, client }: { server: Tls; client: Tls },
): Promise<Connection> {
  const running = await serve({
    addresses: [{ kind: "tcp", host: "127.0.0.1", port: 0 }],
    tls: server,
    routes: (router) =>
      router.service(Health, {
        check: () => ({ status: Serving.SERVING }),
        async *watch(_, { signal }) {
          yield { status: Serving.SERVING };
          await once(signal, "abort");
        },
      }),
  });
  t.after(() => running[Symbol.asyncDispose]());
  const connection = dial(running.addresses[0] as (typeof running.addresses)[number], {
    tls: client,
    peer: vm,
  });
  t.after(() => connection[Symbol.dispose]());
  return connection;
}

/** A stream that stays open, after its first message. */
async function openStream({ transport }: Connection): Promise<AsyncIterator<unknown>> {
  const stream = createClient(Health, transport).watch({})[Symbol.asyncIterator]();
  await stream.next();
  return stream;
}

test("a connection is closed when the certificate of the server is revoked", async (t) => {
  const sides = await bothSides(t, "client");
  const connection = await connected(t, sides);
  const stream = await openStream(connection);
  await sides.authority.revoke(vm);
  await assert.rejects(stream.next());
  await assert.rejects(createClient(Health, connection.transport).check({}), /was revoked/);
});

test("a connection that began while nobody was accepted is closed when its certificate is revoked", async (t) => {
  const sides = await bothSides(t, "server");
  const list = join(sides.authority.folder, "revoked");
  await writeFile(list, "?\n");
  const connection = await connected(t, sides);
  const { check } = createClient(Health, connection.transport);
  await assert.rejects(check({}), /no certificate is accepted while/);
  const noticed = Promise.withResolvers<void>();
  using _watching = sides.server.revoked?.watch(noticed.resolve);
  await writeFile(list, "");
  await noticed.promise;
  const stream = await openStream(connection);
  await sides.authority.revoke(hostRole);
  await assert.rejects(stream.next());
});
