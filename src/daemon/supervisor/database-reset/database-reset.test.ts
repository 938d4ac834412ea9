import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { silentLogger } from "../../../base/logger.ts";
import { lxd } from "../../../engine/flavors/lxd.ts";
import { DatabaseReset } from "./database-reset.ts";

const run = promisify(execFile);

/** An engine's folder with these folders in it, each with a file that says whose it is. */
async function engineFolder(t: TestContext, ...names: string[]): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "database-reset-"));
  t.after(() => rm(parent, { recursive: true }));
  const folder = join(parent, "lxd");
  for (const name of names) await fill(folder, name, "old");
  return folder;
}

async function fill(folder: string, name: string, text: string): Promise<void> {
  await mkdir(join(folder, name), { recursive: true });
  await writeFile(join(folder, name, "whose"), text);
}

const whose = (folder: string, name: string) => readFile(join(folder, name, "whose"), "utf8");
const open = (folder: string) => DatabaseReset.open(folder, lxd.layout, silentLogger);

test("restore returns only the folders that were moved away", async (t) => {
  const folder = await engineFolder(t, "database");
  const reset = await open(folder);
  await reset.begin();
  await fill(folder, "database", "new");
  await fill(folder, "networks", "new");
  await reset.restore();
  assert.deepEqual((await readdir(folder)).sort(), ["database", "networks"]);
  assert.deepEqual([await whose(folder, "database"), await whose(folder, "networks")], ["old", "new"]);
  assert.equal((await open(folder)).phase, undefined);
});

test("a reset continues after a kill between any two renames", async (t) => {
  const folder = await engineFolder(t, "database.old", "networks");
  const moved = ["database", "networks"].map((name) => ({ name, to: `${name}.old` }));
  await writeFile(`${folder}.reset.json`, JSON.stringify({ phase: "moving", moved }));
  const moving = await open(folder);
  await moving.resume();
  assert.equal(moving.phase, "recovering");
  assert.deepEqual((await readdir(folder)).sort(), ["database.old", "networks.old"]);

  await fill(folder, "networks", "new");
  await rm(join(folder, "database.old"), { recursive: true });
  await fill(folder, "database", "old");
  await writeFile(`${folder}.reset.json`, JSON.stringify({ phase: "restoring", moved }));
  await (await open(folder)).resume();
  assert.deepEqual([await whose(folder, "database"), await whose(folder, "networks")], ["old", "old"]);
});

test("a folder that an earlier reset keeps is not overwritten, and is deleted once everything is restored", async (t) => {
  const folder = await engineFolder(t, "database");
  const first = await open(folder);
  await first.begin();
  await first.keep();
  await fill(folder, "database", "second");
  const second = await open(folder);
  await second.begin();
  assert.deepEqual(
    [await whose(folder, "database.old"), await whose(folder, "database.old.2")],
    ["old", "second"],
  );
  await fill(folder, "database", "third");
  await second.discard();
  assert.deepEqual(await readdir(folder), ["database"]);
});

test("a record that cannot be read is an error that says what to do", async (t) => {
  const folder = await engineFolder(t, "database");
  await writeFile(`${folder}.reset.json`, "{");
  await assert.rejects(open(folder), /lxd\.reset\.json, which says how far a reset .* is, cannot be read/);
});

test("images are moved with the database and return with it; an empty folder of images is not moved", async (t) => {
  const folder = await engineFolder(t, "database", "images");
  const reset = await open(folder);
  await reset.begin();
  assert.deepEqual(await reset.kept(), ["database.old", "images.old"]);
  await fill(folder, "database", "new");
  await fill(folder, "images", "new");
  await reset.restore();
  assert.deepEqual([await whose(folder, "database"), await whose(folder, "images")], ["old", "old"]);

  await rm(join(folder, "images"), { recursive: true });
  await mkdir(join(folder, "images"));
  await reset.begin();
  await fill(folder, "images", "put there meanwhile");
  await reset.startOver();
  assert.equal(await whose(folder, "images"), "put there meanwhile");
});

test("discardNewest deletes the folders of this reset and keeps those of earlier ones", async (t) => {
  const folder = await engineFolder(t, "database");
  const first = await open(folder);
  await first.begin();
  await first.keep();
  await fill(folder, "database", "second");
  const second = await open(folder);
  await second.begin();
  await second.discardNewest();
  assert.deepEqual(await second.kept(), ["database.old"]);
  assert.equal(await whose(folder, "database.old"), "old");
});

test("a person's folder of the name database.old stays through all resets", async (t) => {
  const folder = await engineFolder(t, "database", "database.old", "images.old.7");
  const reset = await open(folder);
  await reset.begin();
  assert.deepEqual(await reset.kept(), ["database.old.2"]);
  await fill(folder, "database", "new");
  await reset.discard();
  assert.deepEqual((await readdir(folder)).sort(), ["database", "database.old", "images.old.7"]);

  const second = await open(folder);
  await second.begin();
  await second.keep();
  await fill(folder, "database", "newer");
  const third = await open(folder);
  await third.begin();
  await fill(folder, "database", "newest");
  await third.discard();
  assert.deepEqual((await readdir(folder)).sort(), ["database", "database.old", "images.old.7"]);
  // The recorded folder is gone: a new folder of the name is a person's.
  await fill(folder, "database.old.2", "mine");
  assert.deepEqual(await (await open(folder)).kept(), []);
});

test("a new database from before this daemon's start is renamed, not deleted: a person may have worked with it", async (t) => {
  const folder = await engineFolder(t, "database", "images");
  await (await open(folder)).begin();
  for (const name of ["database", "images"]) await fill(folder, name, "made meanwhile");
  const next = await open(folder);
  await next.startOver();
  assert.deepEqual(next.unused, ["database.unused", "images.unused"]);
  await fill(folder, "database", "second");
  const last = await open(folder);
  await last.restore();
  assert.deepEqual([await whose(folder, "database"), await whose(folder, "images")], ["old", "old"]);
  assert.equal(await whose(folder, "images.unused"), "made meanwhile");
  assert.equal(await whose(folder, "database.unused.2"), "second");
});

test("an old database that cannot be deleted is kept for the next reset and blocks nothing", async (t) => {
  const folder = await engineFolder(t, "database");
  const reset = await open(folder);
  await reset.begin();
  await fill(folder, "database", "new");
  await run("chattr", ["+i", join(folder, "database.old/whose")]);
  t.after(() => run("chattr", ["-i", join(folder, "database.old/whose")]).catch(() => undefined));
  await reset.discard();
  assert.equal((await open(folder)).phase, undefined);
  await run("chattr", ["-i", join(folder, "database.old/whose")]);
  const next = await open(folder);
  await next.begin();
  await fill(folder, "database", "newer");
  await next.discard();
  assert.deepEqual(await readdir(folder), ["database"]);
});
