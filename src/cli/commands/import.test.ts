import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";

async function fixture(t: TestContext) {
  const at = await CommandLineFixture.open(t);
  const file = join(at.folder, "web.tar.gz");
  await writeFile(file, "a backup");
  return { at, file };
}

test("import sends a backup to the guest and creates a container without confirmation", async (t) => {
  const { at, file } = await fixture(t);
  const { code, stdout, stderr } = await at.output(`import web ${file}`);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "web: imported\n");
  assert.match(stderr, /sending the backup, 8 B of 8 B 100 %/);
  assert.match(stderr, /unpacking the backup, 2 KiB\/s 55 %/);
  assert.equal(at.guest.asked.at(-1), "read a backup");
  assert.deepEqual(await readdir(join(at.folder, "transfers")), []);
});

test("import reads the guest's shared folder with --shared", async (t) => {
  const { at } = await fixture(t);
  assert.equal((await at.output("import web --shared there.tar.gz")).code, 0);
  assert.deepEqual(at.guest.asked, ["import web", "from there.tar.gz"]);
});

test("a backup that cannot be read is a sentence, before any work", async (t) => {
  const { at } = await fixture(t);
  await mkdir(join(at.folder, "folder"));
  for (const [file, reason] of [
    ["nosuch", /cannot read .*\/nosuch: there is no such file or folder/],
    ["folder", /folder is not a regular file/],
  ] as const) {
    const { code, stderr } = await at.output(`import web ${at.folder}/${file}`);
    assert.equal(code, 2);
    assert.match(stderr, reason);
  }
  assert.deepEqual(at.guest.asked, []);
  assert.equal((await at.output("import web")).code, 2);
});

test("import asks for confirmation before it replaces a container", async (t) => {
  const { at, file } = await fixture(t);
  at.guest.containers.set("web", "stopped");
  assert.equal((await at.output(`import web ${file}`)).code, 2);
  const io = new RecordedIo();
  io.answers.push("no", "y");
  assert.equal(await at.run(`import web ${file}`, io), 1);
  assert.match(io.stderr, /web was not replaced/);
  assert.deepEqual(at.guest.asked, []);
  assert.equal(await at.run(`import web ${file}`, io), 0);
});
