import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { silentLogger } from "../../base/logger.ts";
import type { Engine } from "../../engine/engine.ts";
import { instanceStatus } from "../../engine/instance.ts";
import { Shutdowns } from "./shutdowns.ts";

/** Watches over a file of a folder of its own, of an engine in which these run. */
async function place(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "shutdowns-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "running.json");
  const told: string[] = [];
  const options = { file, isHidden: () => false, log: silentLogger };
  const shutdowns = new Shutdowns({ ...options, tell: async (name) => void told.push(name) });
  const look = async (...running: string[]): Promise<void> => {
    const list = async () => running.map((name) => ({ name, status_code: instanceStatus.running }));
    const subscribe = () => ({ ready: Promise.resolve(), [Symbol.dispose]: () => undefined });
    await shutdowns.watch({ instances: { list }, events: { subscribe } } as unknown as Engine);
  };
  return { folder, file, told, look };
}

test("a container that ran, and runs no more, is told once", async (t) => {
  const { file, told, look } = await place(t);
  await writeFile(file, '["c1","c2"]');
  await look("c2");
  await look("c2");
  assert.deepEqual(told, ["c1"]);
  assert.equal(await readFile(file, "utf8"), '["c2"]');
});

test("what ran and cannot be read now is not taken for nothing, and not overwritten: it is told once it can", async (t) => {
  const { file, told, look } = await place(t);
  await symlink("running.json", file);
  await look("c2");
  assert.deepEqual(told, []);
  await rm(file);
  await writeFile(file, '["c1","c2"]');
  await look("c2");
  assert.deepEqual(told, ["c1"]);
});

test("what ran and cannot be understood is set aside, and the watch goes on", async (t) => {
  const { folder, file, told, look } = await place(t);
  await writeFile(file, '{"c1": ');
  await look("c1");
  assert.deepEqual((await readdir(folder)).sort(), ["running.json", "running.json.unreadable"]);
  await look();
  assert.deepEqual(told, ["c1"]);
});
