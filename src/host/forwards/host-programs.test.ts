import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { test } from "node:test";
import { forwardFixture, freePorts } from "../../../test/support/forward-fixture.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { HostPrograms } from "./host-programs.ts";

test("a port is a program's until a minute after it was last seen there", async () => {
  const clock = new ManualClock();
  let listening = [8080, 8081];
  await using programs = new HostPrograms({ clock, forwarded: () => [8081], listening: () => listening });
  programs.look();
  assert.deepEqual(
    [8080, 8081, 9090].map((port) => programs.keeps(port)),
    [true, false, false],
  );
  clock.advance(50_000);
  programs.look();
  listening = [];
  programs.note(9090);
  clock.advance(59_000);
  assert.deepEqual(
    [8080, 9090].map((port) => programs.keeps(port)),
    [true, true],
  );
  clock.advance(1_000);
  assert.deepEqual(
    [8080, 9090].map((port) => programs.keeps(port)),
    [false, false],
  );
});

test("the programs of this machine are found, on whichever address", async (t) => {
  await using programs = new HostPrograms({ clock: new ManualClock(), forwarded: () => [] });
  const first = Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s/)[0]);
  for (const host of ["127.0.0.1", "::1", "0.0.0.0"]) {
    const port = await listenBelow(first, host, t.after.bind(t));
    programs.look();
    assert.ok(programs.keeps(port), `${host} ${port}`);
  }
});

test("a program of this machine that is started again finds its port free", async (t) => {
  const { vm, shows } = await forwardFixture(t);
  const [port = 0] = await freePorts(1);
  const begin = async () => {
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  const before = await begin();
  vm.ports.listen("one", port);
  await shows(`vm one:${port} OPEN ${port + 1}: port ${port} of this machine is in use`);
  vm.ports.close("one", port);
  await shows();
  before.close();
  vm.ports.listen("one", port);
  const kept = `port ${port} of this machine is a program's that used it within the last minute`;
  await shows(`vm one:${port} OPEN ${port + 1}: ${kept}`);
  const again = await begin();
  again.close();
});

/** Listens on a port that programs choose themselves. */
async function listenBelow(first: number, host: string, after: (end: () => void) => void): Promise<number> {
  for (let port = first - 1; port > 1024; port--) {
    const server = createServer();
    const { promise, resolve } = Promise.withResolvers<boolean>();
    server.once("error", () => resolve(false)).listen(port, host, () => resolve(true));
    const isOpen = await promise;
    after(() => server.close());
    if (isOpen) return port;
  }
  throw new Error("no port is free");
}
