import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Code, createClient, type Transport } from "@connectrpc/connect";
import { systemClock } from "../../src/base/async/clock.ts";
import type { Logger } from "../../src/base/logger.ts";
import { Guest } from "../../src/contract/tremplin/v1/guest_pb.js";
import { Host } from "../../src/contract/tremplin/v1/host_pb.js";
import { Tremplin, TremplinListener } from "../../src/contract/tremplin_pb.js";
import { type RunningHost, serveHost } from "../../src/host/serve-host.ts";
import type { Address } from "../../src/transport/address.ts";
import { admitRole } from "../../src/transport/admission.ts";
import { dial } from "../../src/transport/client.ts";
import type { Role } from "../../src/transport/role.ts";
import { serve } from "../../src/transport/server.ts";
import { readTls, type Tls } from "../../src/transport/tls.ts";
import { Authority } from "../../src/trust/authority.ts";
import { eventually } from "../support/eventually.ts";
import { hasCode } from "../support/host-fixture.ts";
import { hostileRoutes } from "../support/hostile-peer.ts";
import { type KeptFolder, keptFolder } from "../support/keeper.ts";
import { MemoryGuest } from "../support/memory-guest.ts";
import { execute } from "../support/system-state.ts";

const hostRole: Role = { kind: "host" };
const guest = (name: string): Role => ({ kind: "guest", name });
const client = (name: string): Role => ({ kind: "client", name });
const anyPort: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };

const logged: object[] = [];
const log = new Proxy({}, { get: () => (line: object) => logged.push(line) }) as Logger;
let folder: KeptFolder;
let authority: Authority;
let host: RunningHost;
const guests = new Map<string, MemoryGuest>();

/** The certificate of a role, made when it is used first. */
async function tlsOf(role: Role): Promise<Tls> {
  const { cert, key } = await authority.issue(role, { renew: true });
  return readTls({ cert, key, ca: authority.certificate }) as Tls;
}

/** A certificate of the authority that has no role, as other programs make them. */
async function withoutRole(): Promise<Tls> {
  const path = (name: string): string => join(authority.folder, name);
  const options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const names = [
    "-addext",
    "subjectAltName=DNS:localhost,IP:127.0.0.1",
    "-addext",
    "basicConstraints=CA:FALSE",
  ];
  const files = ["-keyout", path("none.key"), "-out", path("none.crt"), "-subj", "/CN=host"];
  const signed = ["-CA", path("ca.crt"), "-CAkey", path("ca.key")];
  await execute("openssl", ["req", "-x509", ...options, ...names, ...files, ...signed]);
  return readTls({ cert: path("none.crt"), key: path("none.key"), ca: path("ca.crt") }) as Tls;
}

before(async () => {
  folder = await keptFolder();
  authority = new Authority(join(folder.path, "trust"), systemClock);
  const socket = (name: string): Address => ({ kind: "unix", path: join(folder.path, `${name}.sock`) });
  for (const name of ["one", "two"]) {
    guests.set(name, await MemoryGuest.open({ address: socket(name), host: socket("unused") }));
  }
  host = await serveHost(
    {
      listen: [anyPort],
      listeners: [{ address: anyPort }],
      guests: [...guests.keys()].map((name) => ({ name, address: socket(name) })),
      state: join(folder.path, "state"),
      tls: await tlsOf(hostRole),
      logLevel: "silent",
    },
    systemClock,
    log,
  );
});
after(async () => {
  await host[Symbol.asyncDispose]();
  for (const each of guests.values()) await each[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** Runs a call with a certificate at one of the host's addresses. */
async function as<T>(
  tls: Tls,
  where: "addresses" | "listeners",
  act: (transport: Transport) => Promise<T>,
): Promise<T> {
  using connection = dial(host[where][0] as Address, { tls, peer: hostRole });
  return await act(connection.transport);
}

const shell = (transport: Transport) =>
  createClient(Guest, transport)
    .shell(nothing(), { headers: { "tremplin-guest": "two" }, timeoutMs: 20_000 })
    [Symbol.asyncIterator]()
    .next();
const listGuests = (transport: Transport) =>
  createClient(Host, transport).listGuests({}, { timeoutMs: 20_000 });
const reportDeleted = (from: string) => (transport: Transport) =>
  createClient(TremplinListener, transport).updateDeletionStatus(
    { containerName: "penguin", status: 1 },
    { headers: guests.get(from)?.metadata ?? {}, timeoutMs: 20_000 },
  );

async function* nothing() {
  yield {};
}

async function recorded(): Promise<string[]> {
  return await as(await tlsOf(client("reader")), "addresses", async (transport) => {
    const events = await Array.fromAsync(createClient(Host, transport).watch({ after: 0n, onlyLog: true }));
    return events.slice(1).map(({ guest: name, notice }) => `${name} ${notice.case}`);
  });
}

test("a client drives the host and its guests, and sends no notices", async () => {
  const anna = await tlsOf(client("anna"));
  assert.equal((await as(anna, "addresses", listGuests)).guests.length, 2);
  await assert.rejects(
    as(anna, "listeners", reportDeleted("one")),
    hasCode(Code.FailedPrecondition, /is of client anna, and this address serves only guests/),
  );
});

test("a guest drives nobody, and gets no shell in another guest", async () => {
  const one = await tlsOf(guest("one"));
  const refused = hasCode(Code.PermissionDenied, /is of guest one, and this address serves only clients/);
  await assert.rejects(as(one, "addresses", listGuests), refused);
  await assert.rejects(as(one, "addresses", shell), refused);
  const unknown = hasCode(Code.Unimplemented, /there is no such rpc here/);
  await assert.rejects(as(one, "listeners", listGuests), unknown);
  await assert.rejects(as(one, "listeners", shell), unknown);
  const debug = (transport: Transport) => createClient(Tremplin, transport).getDebugInfo({});
  await assert.rejects(as(one, "listeners", debug), unknown);
});

test("a guest sends notices in its own name only, whatever ids it knows", async () => {
  const [one, two] = [await tlsOf(guest("one")), await tlsOf(guest("two"))];
  logged.length = 0;
  await assert.rejects(
    as(one, "listeners", reportDeleted("two")),
    hasCode(Code.FailedPrecondition, /is not the id of the daemon of guest one/),
  );
  await eventually("the line", async () => logged[0]);
  const [line] = logged as { sender: string; notice: string; reason: string }[];
  assert.equal(line?.sender, "the certificate of guest one");
  assert.equal(line?.notice, "UpdateDeletionStatus");
  assert.match(line?.reason ?? "", /is not the id of the daemon of guest one/);
  await as(one, "listeners", reportDeleted("one"));
  await as(two, "listeners", reportDeleted("two"));
  const stranger = await tlsOf(guest("three"));
  await assert.rejects(
    as(stranger, "listeners", reportDeleted("one")),
    hasCode(Code.FailedPrecondition, /there is no guest three/),
  );
  assert.deepEqual(await recorded(), ["one delete", "two delete"]);
});

test("a certificate without a role, and that of the host, drive nobody and send nothing", async () => {
  for (const [tls, whose] of [
    [await withoutRole(), "has no role"],
    [await tlsOf(hostRole), "is of the host"],
  ] as const) {
    const refused = hasCode(
      Code.PermissionDenied,
      new RegExp(`${whose}, and this address serves only clients`),
    );
    await assert.rejects(as(tls, "addresses", listGuests), refused);
    await assert.rejects(
      as(tls, "listeners", reportDeleted("one")),
      hasCode(Code.FailedPrecondition, /serves only guests/),
    );
  }
});

test("a revoked certificate is refused without a restart, and its open streams end", async () => {
  const old = await tlsOf(client("bert"));
  using connection = dial(host.addresses[0] as Address, { tls: old, peer: hostRole });
  const watch = createClient(Host, connection.transport).watch({})[Symbol.asyncIterator]();
  assert.equal((await watch.next()).value?.notice.case, "begun");
  const [{ serial }] = await authority.revoke(client("bert"));
  await assert.rejects(
    as(old, "addresses", listGuests),
    hasCode(Code.Unauthenticated, new RegExp(`certificate ${serial} was revoked`)),
  );
  await assert.rejects(watch.next());
  const fresh = await tlsOf(client("bert"));
  assert.equal((await as(fresh, "addresses", listGuests)).guests.length, 2);
  await assert.rejects(as(old, "addresses", listGuests), hasCode(Code.Unauthenticated, /was revoked/));
  assert.match(
    await readFile(join(authority.folder, "revoked"), "utf8"),
    new RegExp(`^${serial} client bert`, "m"),
  );
});

test("the daemon serves the host's certificate alone, or the one of --tls-peer", async () => {
  const daemon = { addresses: [anyPort], routes: hostileRoutes, admits: admitRole("host") };
  await using server = await serve({ ...daemon, tls: await tlsOf(guest("one")) });
  const ask = async (tls: Tls, address = server.addresses[0] as Address, peer: Role = guest("one")) => {
    using connection = dial(address, { tls, peer });
    return (await createClient(Tremplin, connection.transport).getDebugInfo({}, { timeoutMs: 20_000 }))
      .debugInformation;
  };
  assert.equal(await ask(await tlsOf(hostRole)), "hello");
  const nobodyElse = hasCode(Code.PermissionDenied, /this address serves only the host/);
  for (const role of [guest("one"), guest("two"), client("anna")])
    await assert.rejects(ask(await tlsOf(role)), nobodyElse);
  const plain = await withoutRole();
  await assert.rejects(ask(plain), nobodyElse);

  const peer = join(authority.folder, "none.crt");
  const paths = { ca: authority.certificate, peer };
  const ours = await authority.issue(guest("one"), { renew: true });
  await using pinned = await serve({ ...daemon, tls: readTls({ ...paths, ...ours }) });
  assert.equal(await ask(plain, pinned.addresses[0]), "hello");
  await assert.rejects(
    ask(await tlsOf(hostRole), pinned.addresses[0]),
    hasCode(Code.Unauthenticated, /is not the one of --tls-peer/),
  );
});

test("a server of another role is not believed, wherever it listens", async () => {
  await using server = await serve({
    addresses: [anyPort],
    routes: hostileRoutes,
    tls: await tlsOf(guest("two")),
  });
  const ask = async (peer: Role) => {
    using connection = dial(server.addresses[0] as Address, { tls: await tlsOf(hostRole), peer });
    return await createClient(Tremplin, connection.transport).getDebugInfo({}, { timeoutMs: 20_000 });
  };
  await ask(guest("two"));
  await assert.rejects(ask(hostRole), /the certificate there is of guest two, not of the host/);
  await assert.rejects(ask(guest("one")), /the certificate there is of guest two, not of guest one/);
  await authority.revoke(guest("two"));
  await assert.rejects(ask(guest("two")), /was revoked/);
});
