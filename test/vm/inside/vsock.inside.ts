import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { systemClock } from "../../../src/base/async/clock.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import { Host } from "../../../src/contract/tremplin/v1/host_pb.js";
import { Tremplin, TremplinListener } from "../../../src/contract/tremplin_pb.js";
import { serveHost } from "../../../src/host/serve-host.ts";
import { type Connection, dial } from "../../../src/transport/client.ts";
import { connectVsock } from "../../../src/transport/vsock/connect-vsock.ts";
import { listenOnVsock } from "../../../src/transport/vsock/listen-on-vsock.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { eventually } from "../../support/eventually.ts";
import { hasCode } from "../../support/host-fixture.ts";
import { socat } from "../support/socat.ts";

const ANY = 0xffffffff;
/** This machine, over vsock_loopback. */
const SELF = 1;
const MEGABYTE = 1024 * 1024;

const never = new AbortController().signal;
const connect = (port: number) => connectVsock({ cid: SELF, port }, never);

/** A server of a test on a port of its own. */
async function serving(port: number, answer: (socket: Socket) => void, accepts = (_cid: number) => true) {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    answer(socket);
  });
  return await listenOnVsock(server, { cid: ANY, port }, accepts);
}

async function openFiles(): Promise<number> {
  return (await readdir("/proc/self/fd")).length;
}

test("each side can close its direction, and knows the peer's context id", async () => {
  const callers: number[] = [];
  using _server = await serving(
    6000,
    (socket) => socket.pipe(socket),
    (cid) => callers.push(cid) > 0,
  );
  const socket = await connect(6000);
  socket.end("all of it");
  assert.equal(await text(socket), "all of it");
  assert.deepEqual(callers, [SELF]);
});

test("a rejected peer is closed before a byte is read", async () => {
  using _server = await serving(
    6001,
    () => assert.fail("it was served"),
    () => false,
  );
  const socket = await connect(6001);
  assert.equal(await text(socket), "");
  socket.destroy();
});

test("backpressure: 32 MiB for a peer that does not read use no memory", async () => {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  using _server = await serving(6002, (socket) => resolve(socket.pause()));
  const socket = await connect(6002);
  const slow = await promise;
  let written = 0;
  const chunk = Buffer.alloc(MEGABYTE / 4, 1);
  const write = () => {
    while (written < 32 * MEGABYTE) {
      written += chunk.length;
      if (!socket.write(chunk)) return socket.once("drain", write);
    }
    return socket.end();
  };
  write();
  await eventually("a full stream", async () => (socket.writableNeedDrain ? true : undefined));
  assert.ok(written < 4 * MEGABYTE, `${written} bytes were taken`);
  let read = 0;
  for await (const part of slow as AsyncIterable<Buffer>) read += part.length;
  assert.equal(read, 32 * MEGABYTE);
  slow.destroy();
});

test("50 connections at once leave no file open", async () => {
  const before = await openFiles();
  {
    using server = await serving(0, (socket) => socket.pipe(socket));
    assert.ok(server.port > 1023, `${server.port} is a free port`);
    const echo = async (_: unknown, index: number) => {
      const socket = await connect(server.port);
      socket.end(`${index}`);
      assert.equal(await text(socket), `${index}`);
    };
    await Promise.all(Array.from({ length: 50 }, echo));
  }
  const same = async () => ((await openFiles()) <= before ? true : undefined);
  await eventually("the end of all sockets", same);
});

test("errors have the kernel's code and our message, and leave no file open", async () => {
  const before = await openFiles();
  await assert.rejects(
    connect(6999),
    /cannot reach vsock:1:6999: connect says ECONNRESET: nobody listens there/,
  );
  await assert.rejects(
    connectVsock({ cid: 77, port: 1 }, never),
    /cannot reach vsock:77:1: .*ENODEV.*modprobe/,
  );
  using _server = await serving(6004, (socket) => socket.pipe(socket));
  await assert.rejects(
    serving(6004, () => undefined),
    /cannot listen on vsock:any:6004: bind says EADDRINUSE: another program/,
  );
  const ended = AbortSignal.abort(new Error("no longer wanted"));
  await assert.rejects(connectVsock({ cid: SELF, port: 6004 }, ended), /no longer wanted/);
  const same = async () => ((await openFiles()) <= before + 1 ? true : undefined);
  await eventually("the end of all sockets", same);
});

const debugInfo = async ({ transport }: Connection): Promise<string> =>
  (await createClient(Tremplin, transport).getDebugInfo({})).debugInformation;

test("the daemon works over vsock in both directions, and over socat for a peer without vsock", async () => {
  await using daemon = await startDaemon({
    args: ["--listen", "vsock:any:8900", "--vsock-peer", "1", "--host", "vsock:1:7800"],
    // A host that is not Tremplin. The daemon is ready when this listener has its first notice.
    beside: (folder) => socat("VSOCK-LISTEN:7800,fork", `UNIX-CONNECT:${folder}/host.sock`),
  });
  using direct = dial({ kind: "vsock", cid: SELF, port: 8900 });
  assert.match(await debugInfo(direct), /LXD/);
  const path = join(daemon.folder, "by-socat.sock");
  await using _socat = socat(`UNIX-LISTEN:${path},fork`, "VSOCK-CONNECT:1:8900");
  const names = () => readdir(daemon.folder);
  await eventually("socat", async () => ((await names()).includes("by-socat.sock") ? true : undefined));
  using around = dial({ kind: "unix", path });
  const answers = await Promise.all(Array.from({ length: 20 }, () => debugInfo(around)));
  for (const answer of answers) assert.match(answer, /LXD/);
  await sendsAsDaemonOnly(daemon);
});

/** A container has the context id of its guest, so the id of the daemon is checked too. */
async function sendsAsDaemonOnly(daemon: TestDaemon): Promise<void> {
  const guests = [{ name: "vm", address: { kind: "vsock", cid: SELF, port: 8900 } as const }];
  const listeners = [{ address: { kind: "vsock", cid: "any", port: 7801 } as const }];
  const options = { listen: [], listeners, guests, state: join(daemon.folder, "events"), logLevel: "silent" };
  await using _host = await serveHost(options, systemClock, silentLogger);
  using connection = dial({ kind: "vsock", cid: SELF, port: 7801 });
  const send = (headers: Record<string, string>) =>
    createClient(TremplinListener, connection.transport).tremplinReady({}, { headers });
  await assert.rejects(send({}), hasCode(Code.FailedPrecondition, /tremplin-daemon is missing/));
  await assert.rejects(
    send({ "tremplin-daemon": "guessed" }),
    hasCode(Code.FailedPrecondition, /is not the id/),
  );
  const { daemonId } = await daemon.guest.getStatus({});
  await send({ "tremplin-daemon": daemonId });
  const list = createClient(Host, connection.transport).listGuests({});
  await assert.rejects(list, hasCode(Code.Unimplemented, /there is no such rpc here/));
}

test("the daemon serves only the host: not the machine itself, nor its containers", async () => {
  await using daemon = await startDaemon({ args: ["--listen", "vsock:any:8901"] });
  using connection = dial({ kind: "vsock", cid: SELF, port: 8901 });
  // Each is rejected at a different point of the handshake.
  for (let time = 0; time < 30; time++) await assert.rejects(debugInfo(connection));
  const warnings = (await daemon.log()).match(/"level":40.*rejected a caller on vsock/g);
  assert.equal(warnings?.length, 1);
});
