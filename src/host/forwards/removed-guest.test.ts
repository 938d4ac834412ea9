import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { forwardText, watching } from "../../../test/support/forward-fixture.ts";
import { hostFixture } from "../../../test/support/host-fixture.ts";
import { type Clock, systemClock } from "../../base/async/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { Host } from "../../contract/tremplin/v1/host_pb.js";
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
  const programs = { note: () => undefined, keeps: () => false };
  const table = new ForwardTable({ settings, most: 8, open, programs, log: silentLogger });
  table.addGuest("vm");
  table.setPorts("vm", [{ guest: "vm", container: "web", port: 8080 }]);
  await table.apply();
  assert.equal(closed, 1);
});

test("nothing is listed or kept free for a guest that was removed", async (t) => {
  const at = await hostFixture(t);
  const host = await at.host("vm");
  await at.guest("vm");
  const { shows } = watching(at);
  const address = `unix:${join(at.folder, "other.sock")}`;
  const add = () => at.api(Host).addGuest({ name: "other", address, listener: `${address}-listener` });
  const web = { containerName: "web", port: 8080 };
  const fixed = { ...web, guest: "other", hostPort: 9090 };
  await add();
  await at.api(Host).setForward(fixed);
  await at.api(Host).setForward({ guest: "other", containerName: "db", enabled: false });
  await at.api(Host).removeGuest({ name: "other" });
  await shows();
  await at.api(Host).setForward({ ...fixed, guest: "vm" });
  await at.api(Host).setForward({ ...fixed, guest: "vm", hostPort: 0 });
  await add();
  const all = (await at.api(Host).listForwards({})).forwards;
  assert.deepEqual(all.map(forwardText), []);
  await at.api(Host).setForward({ ...fixed, guest: "vm" });
  await host[Symbol.asyncDispose]();
  // The command line of this one does not have the guest.
  await at.host("elsewhere");
  await shows();
  await at.api(Host).setForward({ ...fixed, guest: "elsewhere" });
});
