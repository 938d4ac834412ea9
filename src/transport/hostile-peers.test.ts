import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "@connectrpc/connect";
import fc from "fast-check";
import { answerBytes } from "../../test/support/hostile-bytes.ts";
import {
  fuzzing,
  hostileRoutes,
  manners,
  provoke,
  temporaryFolder,
  throwBytes,
  turns,
  whatEscapes,
} from "../../test/support/hostile-peer.ts";
import { silentLogger } from "../base/logger.ts";
import { type StreamHandle, socketOn } from "../base/native/stream-handle.ts";
import { Tremplin } from "../contract/tremplin_pb.js";
import { answerCalls } from "./answer-calls.ts";
import { dial } from "./client.ts";
import { plainServer } from "./plain-server.ts";
import { serve } from "./server.ts";

test("no bytes to a tcp listener end the process", async () => {
  const address = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
  const token = "x".repeat(32);
  await using server = await serve({ addresses: [address], routes: hostileRoutes, tokens: [{ token }] });
  await provoke(server.addresses[0] as typeof address, { token });
});

test("no bytes to a unix listener end the process", async () => {
  await using folder = await temporaryFolder();
  const address = { kind: "unix", path: join(folder.path, "t.sock") } as const;
  await using _server = await serve({ addresses: [address], routes: hostileRoutes });
  await provoke(address);
});

test("no bytes to a vsock listener end the process", async () => {
  await using folder = await temporaryFolder();
  const address = { kind: "unix", path: join(folder.path, "t.sock") } as const;
  const server = plainServer(answerCalls({ routes: hostileRoutes, log: silentLogger }));
  const door: Server = createServer().listen(address.path);
  // As the listener on vsock does with the connections of its own handle.
  (door as unknown as { _handle: StreamHandle })._handle.onconnection = (_status, client) =>
    server.emit("connection", socketOn(client));
  await provoke(address);
  await new Promise((resolve) => door.close(resolve));
});

test("no response of a server ends the process of its client, whenever that closes", async () => {
  using escaped = whatEscapes();
  await using folder = await temporaryFolder();
  const address = { kind: "unix", path: join(folder.path, "t.sock") } as const;
  let accept: (socket: Socket) => void = () => undefined;
  const server = createServer((socket) => accept(socket)).listen(address.path);
  const calls = fc.record({
    count: fc.integer({ min: 1, max: 3 }),
    turnsBeforeClosing: fc.option(fc.nat(20)),
  });
  const property = fc.asyncProperty(
    answerBytes,
    manners,
    calls,
    async (bytes, how, { count, turnsBeforeClosing }) => {
      const going: Promise<void>[] = [];
      accept = (socket) => void going.push(throwBytes(socket, bytes, how));
      using connection = dial(address);
      const client = createClient(Tremplin, connection.transport);
      const call = (): Promise<unknown> =>
        client.getDebugInfo({}, { timeoutMs: 5_000 }).catch(() => undefined);
      const answers = Array.from({ length: count }, call);
      if (turnsBeforeClosing !== null) await turns(turnsBeforeClosing);
      // The next call finds the connection of the one before it just as that is lost.
      else await answers[0]?.then(call);
      connection[Symbol.dispose]();
      await Promise.all([...answers, ...going]);
      assert.deepEqual(escaped.seen, []);
    },
  );
  await fc.assert(property, fuzzing);
  await new Promise((resolve) => server.close(resolve));
});
