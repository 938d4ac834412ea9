import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { silentLogger } from "../../../base/logger.ts";
import { lxd } from "../../../engine/flavors/lxd.ts";
import { configSchema } from "../config-backup/config-schema.ts";
import { readStillMissing, writeStillMissing } from "../config-backup/still-missing.ts";
import { readWanted } from "../config-backup/wanted-config.ts";
import { concludeReset, recordMissing } from "./conclude-reset.ts";
import { DatabaseReset } from "./database-reset.ts";

const log = silentLogger;
const open = (folder: string) => DatabaseReset.open(folder, lxd.layout, log);
const secret = { "core.trust_password": { reason: "a secret", lasting: true } };

/** The folder of an engine with a complete config backup and these folders. */
async function engineFolder(t: TestContext, ...folders: string[]): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "conclude-reset-"));
  t.after(() => rm(parent, { recursive: true }));
  const folder = join(parent, "lxd");
  for (const name of ["", ...folders]) await mkdir(join(folder, name));
  await writeFile(`${folder}.setup.json`, JSON.stringify(configSchema.parse({ server: {} })));
  return folder;
}

/** Begins a reset, as far as a new database that can be filled. */
async function begun(folder: string): Promise<DatabaseReset> {
  const reset = await open(folder);
  await recordMissing(reset, folder, { incomplete: undefined, log });
  await reset.begin();
  return reset;
}

/** An earlier reset keeps its database. */
async function withKeptDatabase(t: TestContext): Promise<string> {
  const folder = await engineFolder(t, "database");
  const reset = await begun(folder);
  await concludeReset(reset, folder, new Map(Object.entries(secret)), log);
  assert.deepEqual(await readdir(folder), ["database.old"]);
  return folder;
}

test("a reset that restored everything deletes the old database", async (t) => {
  const folder = await engineFolder(t, "database");
  const reset = await begun(folder);
  await readWanted(folder, log);
  assert.equal(await concludeReset(reset, folder, new Map(), log), "");
  assert.deepEqual(await readdir(folder), []);
});

for (const [what, lose] of Object.entries({
  damaged: (path: string) => writeFile(path, "{"),
  deleted: (path: string) => rm(path),
})) {
  test(`when the wanted config is ${what} during a reset, the old database is kept`, async (t) => {
    const folder = await engineFolder(t, "database");
    const reset = await begun(folder);
    await lose(`${folder}.wanted.json`);
    // Once for the restore, again for the same after a kill, and then at the end.
    for (let time = 0; time < 2; time++) assert.ok((await readWanted(folder, log)).incomplete);
    assert.match(await concludeReset(reset, folder, new Map(), log), /what was not written down/);
    assert.deepEqual(await readdir(folder), ["database.old"]);
  });

  test(`when it is ${what} after the database was lost, those of earlier resets are kept`, async (t) => {
    const folder = await withKeptDatabase(t);
    const reset = await begun(folder);
    await lose(`${folder}.wanted.json`);
    await concludeReset(reset, folder, new Map(), log);
    assert.deepEqual(await readdir(folder), ["database.old"]);
    assert.deepEqual((await readStillMissing(folder, log))?.missing, secret);
  });
}

test("when the record of kept folders is damaged, what is missing is still known after the next reset", async (t) => {
  const folder = await withKeptDatabase(t);
  await writeFile(`${folder}.kept.json`, "{");
  await mkdir(join(folder, "database"));
  const reset = await begun(folder);
  await concludeReset(reset, folder, new Map(), log);
  assert.deepEqual(await readdir(folder), ["database.old"]);
  assert.deepEqual((await readStillMissing(folder, log))?.missing, secret);
});

test("when the record of what is missing is damaged, the kept database stays although a kill comes in between", async (t) => {
  const folder = await withKeptDatabase(t);
  await writeFile(`${folder}.missing.json`, "{");
  await readStillMissing(folder, log);
  await concludeReset(await begun(folder), folder, new Map(), log);
  assert.deepEqual(await readdir(folder), ["database.old"]);
  assert.equal(await readFile(`${folder}.missing.json.unreadable`, "utf8"), "{");
});

test("once a person deleted the old database, nothing is missing any more", async (t) => {
  const folder = await engineFolder(t);
  await writeStillMissing(folder, { missing: secret, setup: configSchema.parse({}) });
  await recordMissing(await open(folder), folder, { incomplete: undefined, log });
  assert.deepEqual((await readWanted(folder, log)).earlier, {});
});
