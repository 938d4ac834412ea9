import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { certificatesOf } from "../../../test/support/certificates-of.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { freePorts, open, textOf } from "../../../test/support/forward-fixture.ts";
import { MemoryGuest } from "../../../test/support/memory-guest.ts";
import { program } from "../../../test/support/memory-ports.ts";
import { systemClock } from "../../base/async/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { resetSocket } from "../../base/native/reset-socket.ts";
import { serveHost } from "../serve-host.ts";

/** A port of this machine that leads to a program in a container of a guest with TLS, as one of another machine has it. */
async function portOverTls(t: TestContext, onConnection: (socket: Socket) => void): Promise<number> {
  const stack = new AsyncDisposableStack();
  t.after(() => stack.disposeAsync());
  const folder = await mkdtemp(join(tmpdir(), "over-tls-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const roles = [{ kind: "host" }, { kind: "guest", name: "vm" }] as const;
  const [ofHost, ofGuest] = await certificatesOf(t, ...roles);
  assert.ok(ofGuest && ofHost);
  const [port = 0, address = 0, listener = 0] = await freePorts(3);
  const at = (number: number) => ({ kind: "tcp", host: "127.0.0.1", port: number }) as const;
  const listening = stack.use(await program(onConnection));
  const vm = stack.use(await MemoryGuest.open({ address: at(address), host: at(listener), tls: ofGuest }));
  vm.ports.isElsewhere = true;
  vm.ports.listen("one", port, listening.port);
  stack.use(
    await serveHost(
      {
        listen: [{ kind: "unix", path: join(folder, "host.sock") }],
        listeners: [{ address: at(listener) }],
        guests: [{ name: "vm", address: at(address) }],
        state: join(folder, "state"),
        tls: ofHost,
        logLevel: "silent",
      },
      systemClock,
      silentLogger,
    ),
  );
  const isOpen = () =>
    open(port).then(
      (socket) => socket.destroy().destroyed,
      () => undefined,
    );
  await eventually(`port ${port}`, isOpen);
  return port;
}

test("over TLS megabytes arrive as they were sent, in both directions, and each ends by itself", async (t) => {
  const port = await portOverTls(t, (socket) => void socket.pipe(socket));
  const sent = randomBytes(1_000_000);
  const answers = await Promise.all(
    Array.from({ length: 3 }, async () => {
      const client = await open(port);
      client.end(sent);
      return await buffer(client);
    }),
  );
  for (const answer of answers) assert.ok(answer.equals(sent));
});

test("over TLS a program can answer after its client has ended, and a reset arrives as one", async (t) => {
  const port = await portOverTls(t, (socket) => {
    socket.once("data", async (first) => {
      if (`${first}` === "reset") return resetSocket(socket);
      socket.end(`${first}, ${await textOf(socket)}`);
    });
  });
  const patient = await open(port);
  patient.write("one");
  patient.end("two");
  assert.match(await textOf(patient), /^one(two)?, (two)?$/);
  const unlucky = await open(port);
  unlucky.write("reset");
  const [error] = await once(unlucky, "error");
  assert.equal(error.code, "ECONNRESET");
});
