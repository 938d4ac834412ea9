import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { type Clock, systemClock } from "../../base/async/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { dial } from "../../transport/client.ts";
import { ForwardSettings } from "./forward-settings.ts";
import { ForwardTable } from "./forward-table.ts";
import { Forwards } from "./forwards.ts";
import type { LoopbackPort } from "./loopback-port.ts";

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "forwards-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test("a guest that is removed is not called again", async (t) => {
  const folder = await folderOf(t);
  const sleep = async (_: number, signal?: AbortSignal): Promise<void> => {
    await setImmediate();
    signal?.throwIfAborted();
  };
  const clock: Clock = { ...systemClock, sleep };
  await using forwards = await Forwards.open({
    folder,
    most: 8,
    reserved: new Set(),
    clock,
    log: silentLogger,
  });
  using connection = dial({ kind: "unix", path: join(folder, "nobody.sock") });
  let calls = 0;
  const second = Promise.withResolvers<void>();
  const stream = (): never => {
    if (++calls === 2) second.resolve();
    throw new Error("nobody listens there");
  };
  const counted = { ...connection, transport: { ...connection.transport, stream } };
  forwards.setGuests([{ name: "vm", connection: counted }]);
  await second.promise;
  forwards.setGuests([]);
  const before = calls;
  for (let turn = 0; turn < 100; turn++) await setImmediate();
  assert.equal(calls, before);
});

test("a port whose guest is removed while it is opened is closed again", async (t) => {
  const settings = await ForwardSettings.open(join(await folderOf(t), "forwards.json"), silentLogger);
  let closed = 0;
  const open = async (port: number) => {
    table.removeGuest("vm");
    return { port, [Symbol.dispose]: () => void closed++ } as unknown as LoopbackPort;
  };
  const table = new ForwardTable({ settings, most: 8, open, log: silentLogger });
  table.addGuest("vm");
  table.setPorts("vm", [{ guest: "vm", container: "web", port: 8080 }]);
  await table.apply();
  assert.equal(closed, 1);
});
