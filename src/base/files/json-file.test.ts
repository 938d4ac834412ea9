import assert from "node:assert/strict";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import * as z from "zod";
import { anyContent, damagedContents } from "../../../test/support/damaged-contents.ts";
import { temporaryFolder } from "../../../test/support/hostile-peer.ts";
import { JsonFile } from "./json-file.ts";

const schema = z.object({ name: z.string(), index: z.string() });
const value = { name: "lxdbr0", index: "5" };

async function place() {
  const folder = await temporaryFolder();
  const logged: { file: string; kept: string; reason: string }[] = [];
  const path = join(folder.path, "bridge.json");
  return {
    path,
    logged,
    log: { error: (details: object) => void logged.push(details as (typeof logged)[number]) },
    file: new JsonFile({ path, schema, without: "it is written again" }),
    names: async () => (await readdir(folder.path)).sort(),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

test("what was written is read, and nothing else stays in the folder", async () => {
  await using at = await place();
  assert.equal(await at.file.readOrSetAside(at.log), undefined);
  await at.file.write(value);
  assert.deepEqual(await at.file.readOrSetAside(at.log), value);
  assert.deepEqual([await at.names(), at.logged], [["bridge.json"], []]);
  await at.file.remove();
  await at.file.remove();
  assert.deepEqual(await at.names(), []);
});

for (const [name, content] of Object.entries(damagedContents)) {
  test(`a file with ${name} is kept aside with the reason, logged, and counts as missing`, async () => {
    await using at = await place();
    await writeFile(at.path, content);
    assert.equal(await at.file.readOrSetAside(at.log), undefined);
    const [found, ...more] = at.logged;
    assert.ok(found && more.length === 0);
    assert.deepEqual([found.file, found.kept], [at.path, `${at.path}.unreadable`]);
    assert.match(found.reason, /^(it is empty|it is not JSON|its content is not .*); it is written again$/);
    assert.deepEqual(await readFile(found.kept), content);
    assert.equal(await readFile(`${found.kept}.reason`, "utf8"), `${found.reason}\n`);
    await at.file.write(value);
    assert.deepEqual(await at.file.readOrSetAside(at.log), value);
  });
}

test("no content makes it throw, and no damaged one is lost", async () => {
  await using at = await place();
  let damaged = 0;
  const property = fc.asyncProperty(anyContent, async (content) => {
    await writeFile(at.path, content);
    const read = await at.file.readOrSetAside(at.log);
    if (read === undefined) damaged++;
    else assert.deepEqual(schema.parse(JSON.parse(content.toString())), read);
    assert.equal((await at.names()).filter((name) => name.endsWith(".unreadable")).length, damaged);
  });
  await fc.assert(property, { numRuns: 100 });
});

test("a folder in its place is set aside too", async () => {
  await using at = await place();
  await mkdir(at.path);
  assert.equal(await at.file.readOrSetAside(at.log), undefined);
  await at.file.write(value);
  assert.deepEqual(await at.file.read(), value);
});

test("a file that cannot be read now is an error and stays: it may be whole", async () => {
  await using at = await place();
  await symlink("bridge.json", at.path);
  await assert.rejects(at.file.readOrSetAside(at.log), { code: "ELOOP" });
  assert.deepEqual([await at.names(), at.logged], [["bridge.json"], []]);
});

test("a file that has the value already is not written", async () => {
  await using at = await place();
  await at.file.writeIfChanged(value);
  // A folder in the place of the new file makes each write fail.
  await mkdir(`${at.path}.new`);
  await at.file.writeIfChanged(value);
  await assert.rejects(at.file.writeIfChanged({ ...value, index: "6" }), { code: "EISDIR" });
  await rm(`${at.path}.new`, { recursive: true });
});
