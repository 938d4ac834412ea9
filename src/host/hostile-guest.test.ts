import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "@connectrpc/connect";
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

async function* nothing() {
  yield {};
}
