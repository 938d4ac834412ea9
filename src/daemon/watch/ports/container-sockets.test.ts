import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { hasEnded, ProcFolder } from "../../../base/proc/proc-file.ts";
import { ContainerSockets } from "./container-sockets.ts";

/** A process in this network namespace. */
async function sleeper(t: TestContext): Promise<ChildProcess> {
  const child = spawn("sleep", ["1000"], { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  return child;
}

function portsOf(sockets: ContainerSockets): number[] {
  return [...sockets.ports(sockets.socketCounts())].flat();
}

test("a listener changes the number of sockets and is among the ports", async (t) => {
  using init = new ProcFolder(`/proc/${(await sleeper(t)).pid}`);
  using sockets = new ContainerSockets(init);
  for (const [host, family] of [
    ["127.0.0.1", "tcp"],
    ["::1", "tcp6"],
  ] as const) {
    const server = createServer().listen(0, host);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    assert.ok(sockets.socketCounts()[family] > 0);
    assert.ok(portsOf(sockets).includes(port));
    server.close();
    await once(server, "close");
    assert.ok(!portsOf(sockets).includes(port));
  }
});

test("a family without sockets is not read", async (t) => {
  using init = new ProcFolder(`/proc/${(await sleeper(t)).pid}`);
  using sockets = new ContainerSockets(init);
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  assert.deepEqual([...sockets.ports({ tcp: 0, tcp6: 0 })], []);
});

test("once the process has ended everything says so, also when its number is given to another", async (t) => {
  const child = await sleeper(t);
  const init = new ProcFolder(`/proc/${child.pid}`);
  using sockets = new ContainerSockets(init);
  init[Symbol.dispose]();
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.throws(() => sockets.socketCounts(), hasEnded);
  assert.throws(() => [...sockets.ports({ tcp: 1, tcp6: 1 })], hasEnded);
});

test("a folder that is closed leads nowhere", async (t) => {
  const init = new ProcFolder(`/proc/${(await sleeper(t)).pid}`);
  const sockets = new ContainerSockets(init);
  init[Symbol.dispose]();
  init[Symbol.dispose]();
  assert.throws(() => new ContainerSockets(init), hasEnded);
  sockets[Symbol.dispose]();
  assert.throws(() => sockets.socketCounts(), hasEnded);
});
