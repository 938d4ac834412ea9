import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventually } from "../../../test/support/eventually.ts";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { silentLogger } from "../../base/logger.ts";
import type { Engine } from "../../engine/engine.ts";
import { instanceStatus } from "../../engine/resources/instance.ts";
import { ContainerStopWatcher } from "./container-stops.ts";

/** As much of an engine as is watched, with containers that run or not. */
function engineWith(running: Record<string, boolean>) {
  const listeners: ((event: unknown) => void)[] = [];
  const instances = () =>
    Object.entries(running).map(([name, runs]) => ({
      name,
      status_code: runs ? instanceStatus.running : 0,
    }));
  const engine = {
    instances: { list: async () => instances() },
    events: {
      subscribe: (_interest: unknown, listener: (event: unknown) => void) => {
        listeners.push(listener);
        return { ready: Promise.resolve(), [Symbol.dispose]: () => undefined };
      },
    },
  } as unknown as Engine;
  const stop = (name: string) => {
    running[name] = false;
    const metadata = { action: "instance-shutdown", source: `/1.0/instances/${name}` };
    for (const listener of listeners) listener({ type: "lifecycle", metadata });
  };
  return { engine, stop };
}

async function place(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "shutdowns-"));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, "running.json");
}

function watching(file: string) {
  const told: string[] = [];
  const clock = new ManualClock();
  const tell = async (name: string) => void told.push(name);
  const shutdowns = new ContainerStopWatcher({ file, isHidden: () => false, tell, clock, log: silentLogger });
  return { shutdowns, told, clock };
}

for (const rubbish of ["", "{", "{}", "[7]", "null"]) {
  test(`a record of "${rubbish}" keeps no later stop from being told`, async (t) => {
    const file = await place(t);
    await writeFile(file, rubbish);
    const { engine, stop } = engineWith({ web: true });
    const { shutdowns, told } = watching(file);
    await shutdowns.watch(engine);
    stop("web");
    await shutdowns[Symbol.asyncDispose]();
    assert.deepEqual(told, ["web"]);
    assert.equal(await readFile(file, "utf8"), "[]");
  });
}

test("a stop that was told and not written down is written once it can be, and not told twice", async (t) => {
  const file = await place(t);
  const { engine, stop } = engineWith({ web: true });
  const first = watching(file);
  await first.shutdowns.watch(engine);
  await mkdir(`${file}.new`);
  stop("web");
  await first.clock.sleeping();
  first.clock.advance(0);
  await first.clock.sleeping();
  await rm(`${file}.new`, { recursive: true });
  first.clock.advance(500);
  await first.clock.sleeping();
  first.clock.advance(0);
  await eventually("the record", async () => (await readFile(file, "utf8")) === "[]" || undefined);
  await first.shutdowns[Symbol.asyncDispose]();
  assert.deepEqual(first.told, ["web"]);
  const second = watching(file);
  await second.shutdowns.watch(engine);
  await second.shutdowns[Symbol.asyncDispose]();
  assert.deepEqual(second.told, []);
});

/** Watches over a record, of an engine in which these run. */
async function looking(t: TestContext) {
  const file = await place(t);
  const { shutdowns, told } = watching(file);
  t.after(() => shutdowns[Symbol.asyncDispose]());
  const look = (...running: string[]): Promise<void> =>
    shutdowns.watch(engineWith(Object.fromEntries(running.map((name) => [name, true]))).engine);
  return { folder: dirname(file), file, told, look };
}

test("a container that ran, and runs no more, is told once", async (t) => {
  const { file, told, look } = await looking(t);
  await writeFile(file, '["c1","c2"]');
  await look("c2");
  await look("c2");
  assert.deepEqual(told, ["c1"]);
  assert.equal(await readFile(file, "utf8"), '["c2"]');
});

test("what ran and cannot be read now is not taken for nothing, and not overwritten: it is told once it can", async (t) => {
  const { file, told, look } = await looking(t);
  await symlink("running.json", file);
  await look("c2");
  assert.deepEqual(told, []);
  await rm(file);
  await writeFile(file, '["c1","c2"]');
  await look("c2");
  assert.deepEqual(told, ["c1"]);
});

test("what ran and cannot be understood is set aside, and the watch goes on", async (t) => {
  const { folder, file, told, look } = await looking(t);
  await writeFile(file, '{"c1": ');
  await look("c1");
  assert.deepEqual((await readdir(folder)).sort(), ["running.json", "running.json.unreadable"]);
  await look();
  assert.deepEqual(told, ["c1"]);
});
