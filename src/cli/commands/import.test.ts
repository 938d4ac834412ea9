import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";
import { Engine_State } from "../../contract/tremplin/v1/guest_pb.js";

async function fixture(t: TestContext) {
  const at = await CommandLineFixture.open(t);
  const file = join(at.folder, "web.tar.gz");
  await writeFile(file, "BZh: a backup");
  return { at, file };
}

test("import sends a backup to the guest and creates a container without confirmation", async (t) => {
  const { at, file } = await fixture(t);
  const { code, stdout, stderr } = await at.output(`import web ${file}`);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "web: imported\n");
  assert.match(stderr, /sending the backup, 13 B of 13 B 100 %/);
  assert.match(stderr, /unpacking the backup, 2 KiB\/s 55 %/);
  assert.equal(at.guest.asked.at(-1), "read BZh: a backup");
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

test("a container that appears while the backup is sent, or another one of that name, is not replaced unasked", async (t) => {
  const { at, file } = await fixture(t);
  const io = new RecordedIo();
  void io.written(/sending the backup/).then(() => at.guest.containers.set("web", "running"));
  assert.equal(await at.run(`import web ${file}`, io), 2);
  assert.match(io.stderr, /cannot ask without a terminal: to replace web, use --yes/);

  const again = new RecordedIo();
  again.answers.push("y", "no");
  at.guest.containerFields = { createdAt: timestampFromMs(1_000) };
  void again.written(/sending the backup/).then(() => {
    at.guest.containerFields = { createdAt: timestampFromMs(2_000) };
  });
  assert.equal(await at.run(`import web ${file}`, again), 1);
  assert.equal(again.questions.length, 2);
  assert.deepEqual(at.guest.asked, []);
  assert.deepEqual(await readdir(join(at.folder, "transfers")), []);
});

test("a guest that cannot say whether there is a container gets no import", async (t) => {
  const { at, file } = await fixture(t);
  at.guest.containers.set("web", "running");
  at.guest.engine = Engine_State.STARTING;
  for (const line of [`import web ${file}`, "import web --shared there.tar.gz"]) {
    const { code, stderr } = await at.output(line);
    assert.equal(code, 1);
    assert.match(stderr, /cannot find out whether there is a container web already: LXD not running/);
  }
  assert.deepEqual(at.guest.asked, []);
});
