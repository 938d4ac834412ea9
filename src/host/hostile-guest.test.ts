import assert from "node:assert/strict";
import { createServer as createHttp2, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import fc from "fast-check";
import { answerBytes } from "../../test/support/hostile-bytes.ts";
import {
  fuzzing,
  manners,
  temporaryFolder,
  throwBytes,
  whatEscapes,
} from "../../test/support/hostile-peer.ts";
import { systemClock } from "../base/async/clock.ts";
import { silentLogger } from "../base/logger.ts";
import { Guest } from "../contract/tremplin/v1/guest_pb.js";
import { Host } from "../contract/tremplin/v1/host_pb.js";
import { Tremplin } from "../contract/tremplin_pb.js";
import { dial } from "../transport/client.ts";
import { serveHost } from "./serve-host.ts";

const MIB = 1024 * 1024;

test("nothing that a guest answers ends the host", async () => {
  using escaped = whatEscapes();
  await using folder = await temporaryFolder();
  const address = { kind: "unix", path: join(folder.path, "guest.sock") } as const;
  const listen = { kind: "unix", path: join(folder.path, "host.sock") } as const;
  // The host asks a guest at once; here that must not hold up the first round.
  let accept: (socket: Socket) => void = (socket) => void socket.destroy();
  const guest = createServer((socket) => accept(socket)).listen(address.path);
  const options = {
    listen: [listen],
    listeners: [],
    guests: [{ name: "vm", address }],
    state: join(folder.path, "state"),
  };
  await using _host = await serveHost({ ...options, logLevel: "silent" }, systemClock, silentLogger);
  using connection = dial(listen);
  const { transport } = connection;
  const limit = { timeoutMs: 5_000 };
  const calls = [
    () => createClient(Tremplin, transport).getDebugInfo({}, limit),
    () => createClient(Guest, transport).getStatus({}, limit),
    () => createClient(Guest, transport).shell(nothing(), limit)[Symbol.asyncIterator]().next(),
  ];
  const property = fc.asyncProperty(
    answerBytes,
    manners,
    fc.constantFrom(...calls),
    async (bytes, how, call) => {
      const going: Promise<void>[] = [];
      accept = (socket) => void going.push(throwBytes(socket, bytes, how));
      await call().catch(() => undefined);
      await createClient(Host, transport).listGuests({}, limit);
      await Promise.all(going);
      assert.deepEqual(escaped.seen, []);
    },
  );
  await fc.assert(property, fuzzing);
  await new Promise((resolve) => guest.close(resolve));
});

/** What a guest answers to GetDebugInfo, in gRPC; returns how many bytes it could send. */
type Answer = (stream: ServerHttp2Stream) => () => number;

const announce = (bytes: number, isCompressed: boolean): Buffer => {
  const prefix = Buffer.alloc(5);
  prefix[0] = isCompressed ? 1 : 0;
  prefix.writeUInt32BE(bytes, 1);
  return prefix;
};

const answers: Readonly<Record<string, Answer>> = {
  "a message that never ends": (stream) => {
    let sent = 0;
    const chunk = Buffer.alloc(MIB);
    stream.respond({ ":status": 200, "content-type": "application/grpc+proto" });
    stream.write(announce(2 ** 32 - 16, false));
    const more = (): void => {
      if (stream.destroyed || sent > 256 * MIB) return;
      sent += chunk.length;
      stream.write(chunk, more);
    };
    more();
    return () => sent;
  },
  "a small message that unpacks to a large one": (stream) => {
    const bomb = gzipSync(Buffer.alloc(8 * MIB));
    stream.respond({ ":status": 200, "content-type": "application/grpc+proto", "grpc-encoding": "gzip" });
    stream.write(announce(bomb.length, true));
    stream.end(bomb);
    return () => bomb.length;
  },
};

for (const [what, answer] of Object.entries(answers)) {
  test(`the host does not keep ${what}`, async () => {
    await using folder = await temporaryFolder();
    const address = { kind: "unix", path: join(folder.path, "guest.sock") } as const;
    const listen = { kind: "unix", path: join(folder.path, "host.sock") } as const;
    let sent = (): number => 0;
    const sessions = new Set<ServerHttp2Session>();
    const guest = createHttp2().listen(address.path);
    guest.on("session", (session) => void sessions.add(session));
    guest.on("stream", (stream, headers) => {
      stream.on("error", () => undefined);
      if (headers[":path"]?.endsWith("/GetDebugInfo")) sent = answer(stream);
      else stream.close();
    });
    const options = { listen: [listen], listeners: [], state: join(folder.path, "state") };
    const guests = [{ name: "vm", address }];
    await using _host = await serveHost(
      { ...options, guests, logLevel: "silent" },
      systemClock,
      silentLogger,
    );
    using connection = dial(listen);
    const call = createClient(Tremplin, connection.transport).getDebugInfo({}, { timeoutMs: 10_000 });
    const error = await call.then(() => undefined, ConnectError.from);
    assert.notEqual(error, undefined);
    assert.notEqual(error?.code, Code.DeadlineExceeded);
    await createClient(Host, connection.transport).listGuests({}, { timeoutMs: 5_000 });
    assert.ok(sent() < 16 * MIB, `${sent()} bytes were taken`);
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => guest.close(resolve));
  });
}

async function* nothing() {
  yield {};
}
