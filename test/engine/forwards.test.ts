import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { systemClock } from "../../src/base/async/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { type Forward, Host } from "../../src/contract/tremplin/v1/host_pb.js";
import type { Engine } from "../../src/engine/engine.ts";
import { serveHost } from "../../src/host/serve-host.ts";
import { dial } from "../../src/transport/client.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { engineOf } from "../support/engine-of.ts";
import { freePorts } from "../support/forward-fixture.ts";
import { runInside } from "../support/run-inside.ts";
import { createTiny, launchedDaemon, startContainer } from "../support/tiny-container.ts";

const parts = new AsyncDisposableStack();
let daemon: TestDaemon;
let engine: Engine;
let host: ReturnType<typeof createClient<typeof Host>>;

before(async () => {
  daemon = parts.use(await launchedDaemon());
  engine = parts.use(await engineOf(daemon));
  await createTiny(daemon, "one");
  await startContainer(daemon, "one");
  await runInside(engine, "one", "ip link set lo up; mkdir -p /www; echo from the container >/www/page");
  const socket = (name: string) => ({ kind: "unix", path: join(daemon.folder, name) }) as const;
  const options = {
    listen: [socket("forwards.sock")],
    listeners: [{ address: socket("forwards-listener.sock") }],
    guests: [{ name: "vm", address: socket("guest.sock") }],
    state: join(daemon.folder, "forwards"),
    logLevel: "silent",
  };
  parts.use(await serveHost(options, systemClock, silentLogger));
  host = createClient(Host, parts.use(dial(socket("forwards.sock"))).transport);
});
after(() => parts.disposeAsync());

/** The first list of forwards that passes. */
async function until(passes: (forwards: readonly Forward[]) => boolean): Promise<readonly Forward[]> {
  for await (const { forwards } of host.watchForwards({}, { timeoutMs: 20_000 })) {
    if (passes(forwards)) return forwards;
  }
  throw new Error("the host is gone");
}

async function listen(address: string, port: number): Promise<void> {
  const command = `httpd -f -h /www -p '${address}' >/dev/null 2>&1 & echo $! >/run/${port}`;
  await runInside(engine, "one", command);
  await until((forwards) => forwards.some((each) => each.port === port && each.hostPort === port));
}

async function page(address: string, port: number): Promise<string> {
  const socket = connect({ host: address, port, allowHalfOpen: true });
  await once(socket, "connect");
  socket.end("GET /page HTTP/1.0\r\n\r\n");
  return (await Array.fromAsync(socket.setEncoding("utf8") as AsyncIterable<string>)).join("");
}

for (const [what, loopback] of [
  ["IPv4", "127.0.0.1"],
  ["IPv6", "[::1]"],
] as const) {
  test(`a program that listens on the container's ${what} loopback alone is reached from both`, async () => {
    const [port = 0] = await freePorts(1);
    await listen(`${loopback}:${port}`, port);
    for (const address of ["127.0.0.1", "::1"]) assert.match(await page(address, port), /from the container/);
    await runInside(engine, "one", `kill $(cat /run/${port})`);
    await until((forwards) => forwards.length === 0);
    await assert.rejects(page("127.0.0.1", port), /ECONNREFUSED/);
  });
}

test("a killed daemon closes the ports, and the next one opens them again", async () => {
  const [port = 0] = await freePorts(1);
  await listen(`127.0.0.1:${port}`, port);
  await daemon.kill();
  await until(([first]) => first?.hostPort === 0);
  await assert.rejects(page("127.0.0.1", port), /ECONNREFUSED/);
  await daemon.start();
  await until(([first]) => first?.hostPort === port);
  assert.match(await page("::1", port), /from the container/);
});

test("a container that stops has no port any more", async () => {
  await daemon.tremplin.stopContainer({ containerName: "one" });
  await daemon.listener.final("stop", "one");
  await until((forwards) => forwards.length === 0);
});
