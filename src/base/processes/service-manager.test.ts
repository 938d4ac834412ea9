import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { NotifyReceiver } from "../../../test/support/notify-receiver.ts";
import { silentLogger } from "../logger.ts";
import { encodeUnixAddress } from "../native/send-datagram.ts";
import { ServiceManager } from "./service-manager.ts";

const log = silentLogger;
const healthy = () => Promise.resolve();

async function receiver(t: TestContext): Promise<{ manager: NotifyReceiver; path: string }> {
  const folder = await mkdtemp(join(tmpdir(), "notify-"));
  const path = join(folder, "notify");
  const manager = new NotifyReceiver(path);
  t.after(async () => {
    await manager[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  return { manager, path };
}

test("the service manager learns when the program serves and when it ends, and nobody else gets its address", async (t) => {
  const { manager, path } = await receiver(t);
  const environment = { NOTIFY_SOCKET: path, PATH: "/bin" };
  const clock = new ManualClock();
  const serving = (await ServiceManager.take(log, environment)).serving(healthy, { clock, log });
  await manager.received("READY=1");
  assert.deepEqual(environment, { PATH: "/bin" });
  serving[Symbol.dispose]();
  await manager.received("STOPPING=1");
  assert.deepEqual(manager.messages, ["READY=1", "STOPPING=1"]);
});

test("pings come four times in the limit, none while the program does not answer itself, and again after that", async (t) => {
  const { manager, path } = await receiver(t);
  const clock = new ManualClock();
  const environment = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "8000000", WATCHDOG_PID: String(process.pid) };
  let isHealthy = true;
  let checks = 0;
  const check = async (): Promise<void> => {
    checks++;
    if (!isHealthy) throw new Error("no answer");
  };
  using _serving = (await ServiceManager.take(log, environment)).serving(check, { clock, log });
  await manager.received("WATCHDOG=1", 1);
  const turn = async (): Promise<void> => {
    await clock.sleeping();
    clock.advance(2000);
    await clock.sleeping();
  };
  await turn();
  await manager.received("WATCHDOG=1", 2);
  isHealthy = false;
  await turn();
  await turn();
  isHealthy = true;
  await turn();
  await manager.received("WATCHDOG=1", 3);
  assert.equal(checks, 5);
  assert.equal(manager.messages.filter((text) => text === "WATCHDOG=1").length, 3);
});

test("without a service manager, or with one that is gone, the program serves all the same", async () => {
  const clock = new ManualClock();
  for (const environment of [{}, { NOTIFY_SOCKET: "/nowhere/notify" }, { NOTIFY_SOCKET: "vsock:2:5" }]) {
    (await ServiceManager.take(log, environment)).serving(healthy, { clock, log })[Symbol.dispose]();
  }
});

test("the watchdog of another process is not this one's", async (t) => {
  const { manager, path } = await receiver(t);
  const environment = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "8000000", WATCHDOG_PID: "1" };
  const check = () => Promise.reject(new Error("must not be called"));
  const taken = await ServiceManager.take(log, environment);
  taken.serving(check, { clock: new ManualClock(), log })[Symbol.dispose]();
  await manager.received("STOPPING=1");
  assert.deepEqual(manager.messages, ["READY=1", "STOPPING=1"]);
});

test("an address is a path, or a name in no file system", () => {
  assert.deepEqual([...encodeUnixAddress("/a")], [1, 0, 47, 97, 0]);
  assert.deepEqual([...encodeUnixAddress("@a")], [1, 0, 0, 97]);
});
