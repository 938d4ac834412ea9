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
  const folder = await mkdtemp(join(tmpdir(), "container-stops-"));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, "running.json");
}

function watching(file: string) {
  const reported: string[] = [];
  const clock = new ManualClock();
  const report = async (name: string) => void reported.push(name);
  const watcher = new ContainerStopWatcher({ file, isHidden: () => false, report, clock, log: silentLogger });
  return { watcher, reported, clock };
}

for (const rubbish of ["", "{", "{}", "[7]", "null"]) {
  test(`a record of "${rubbish}" does not prevent later stops from being reported`, async (t) => {
    const file = await place(t);
    await writeFile(file, rubbish);
    const { engine, stop } = engineWith({ web: true });
    const { watcher, reported } = watching(file);
    await watcher.watch(engine);
    stop("web");
    await watcher[Symbol.asyncDispose]();
    assert.deepEqual(reported, ["web"]);
    assert.equal(await readFile(file, "utf8"), "[]");
  });
}

test("a stop is reported once although the record could not be written at first", async (t) => {
  const file = await place(t);
  const { engine, stop } = engineWith({ web: true });
  const first = watching(file);
  await first.watcher.watch(engine);
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
  await first.watcher[Symbol.asyncDispose]();
  assert.deepEqual(first.reported, ["web"]);
  const second = watching(file);
  await second.watcher.watch(engine);
  await second.watcher[Symbol.asyncDispose]();
  assert.deepEqual(second.reported, []);
});

/** Watches over a record, of an engine in which these run. */
async function looking(t: TestContext) {
  const file = await place(t);
  const { watcher, reported } = watching(file);
  t.after(() => watcher[Symbol.asyncDispose]());
  const look = (...running: string[]): Promise<void> =>
    watcher.watch(engineWith(Object.fromEntries(running.map((name) => [name, true]))).engine);
  return { folder: dirname(file), file, reported, look };
}

test("a container that no longer runs is reported once", async (t) => {
  const { file, reported, look } = await looking(t);
  await writeFile(file, '["c1","c2"]');
  await look("c2");
  await look("c2");
  assert.deepEqual(reported, ["c1"]);
  assert.equal(await readFile(file, "utf8"), '["c2"]');
});

test("an unreadable record is not overwritten, and its stops are reported once it can be read", async (t) => {
  const { file, reported, look } = await looking(t);
  await symlink("running.json", file);
  await look("c2");
  assert.deepEqual(reported, []);
  await rm(file);
  await writeFile(file, '["c1","c2"]');
  await look("c2");
  assert.deepEqual(reported, ["c1"]);
});

test("a record that cannot be parsed is set aside, and the watch goes on", async (t) => {
  const { folder, file, reported, look } = await looking(t);
  await writeFile(file, '{"c1": ');
  await look("c1");
  assert.deepEqual((await readdir(folder)).sort(), [
    "running.json",
    "running.json.unreadable",
    "running.json.unreadable.reason",
  ]);
  await look();
  assert.deepEqual(reported, ["c1"]);
});
