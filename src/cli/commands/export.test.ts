import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";

async function fixture(t: TestContext) {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  const own = join(at.folder, "own");
  await mkdir(own);
  const left = async () => [await readdir(own), await readdir(join(at.folder, "transfers")).catch(() => [])];
  return { at, own, left };
}

test("export shows files and bytes, brings the backup here, and prints its full path", async (t) => {
  const { at, own, left } = await fixture(t);
  const file = join(own, "web.tar.gz");
  const { code, stdout, stderr } = await at.output(`export web ${file}`);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, `web: exported, 1 KiB, to ${file}\n`);
  assert.match(stderr, /^exporting web: taking a snapshot and counting its files$/m);
  assert.match(stderr, /packing, 5 of 10 files, 1 KiB of 2 KiB, 512 B written 50 %/);
  assert.match(stderr, /fetching the backup, 15 B of 15 B 100 %/);
  assert.equal(await readFile(file, "utf8"), "a backup of web");
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.deepEqual(await left(), [["web.tar.gz"], []]);
});

test("export makes a folder that is missing, and names the file in a folder itself", async (t) => {
  const { at, own } = await fixture(t);
  for (const folder of ["new/deep/", "."]) {
    const { code, stdout, stderr } = await at.output(`export web ${own}/${folder}`);
    assert.equal(code, 0, stderr);
    const path = /, to (.*)\n$/.exec(stdout)?.[1] ?? "";
    assert.match(path.slice(own.length), /^\/(new\/deep\/)?web-\d{8}-\d{6}\.tar\.gz$/);
    assert.equal(await readFile(path, "utf8"), "a backup of web");
  }
  assert.equal((await at.output(`export web ${own}/other/x.tar.zst`)).code, 0);
  assert.match(at.guest.asked.at(-1) ?? "", /\.tar\.zst$/);
});

test("export to the shared folder names the path there", async (t) => {
  const { at } = await fixture(t);
  const { stdout } = await at.output("export web --shared backups/web.tar.gz");
  assert.equal(
    stdout,
    `web: exported, 1 KiB, to ${at.folder}/backups/web.tar.gz in the shared folder of the guest\n`,
  );
  assert.deepEqual(at.guest.asked, ["export web", "to backups/web.tar.gz"]);
});

test("export says what the guest left out of the backup", async (t) => {
  const { at, own } = await fixture(t);
  at.guest.remark = "the backup is not complete: 1 file or folder left out: /secret";
  const { code, stdout } = await at.output(`export web ${own}/web.tar.gz`);
  assert.equal(code, 0);
  assert.equal(stdout, `web: exported, 1 KiB, to ${own}/web.tar.gz: ${at.guest.remark}\n`);
});

test("a failed or cancelled export leaves no file and no folder", async (t) => {
  const { at, own, left } = await fixture(t);
  at.guest.fault = "the disk is full";
  assert.equal((await at.output(`export web ${own}/new/web.tar.gz`)).code, 1);
  assert.deepEqual(await left(), [[], []]);
  at.guest.fault = "";
  at.guest.gate = new Promise(() => undefined);
  const io = new RecordedIo();
  const exporting = at.run(`export web ${own}/new/web.tar.gz`, io);
  await io.written(/packing/);
  io.ctrlC();
  assert.equal(await exporting, 130);
  assert.deepEqual(await left(), [[], []]);
});

test("a file is replaced only after a yes, and nothing but a file", async (t) => {
  const { at, own } = await fixture(t);
  const file = join(own, "mine");
  await writeFile(file, "mine");
  const unasked = await at.output(`export web ${file}`);
  assert.equal(unasked.code, 2);
  assert.match(unasked.stderr, /use --yes/);
  assert.equal(await readFile(file, "utf8"), "mine");
  assert.deepEqual(at.guest.asked, []);
  assert.equal((await at.output(`export web ${file} --yes`)).code, 0);
  assert.equal(await readFile(file, "utf8"), "a backup of web");
  await symlink("/etc/passwd", join(own, "link"));
  for (const path of [join(own, "link"), "/dev/null"]) {
    const { code, stderr } = await at.output(`export web ${path} --yes`);
    assert.equal(code, 2);
    assert.match(stderr, /is not a regular file; choose another name/);
  }
});

test("a path that cannot be written is a sentence, before any work", async (t) => {
  const { at, own } = await fixture(t);
  await writeFile(join(own, "file"), "");
  const { code, stderr } = await at.output(`export web ${own}/file/x/web.tar.gz`);
  assert.equal(code, 1);
  assert.match(stderr, /^tremplin: cannot write web\.tar\.gz in .*: a part of its path is not a folder$/m);
  assert.deepEqual(at.guest.asked, []);
});

test("a missing container cannot be exported", async (t) => {
  const at = await CommandLineFixture.open(t);
  const { code, stderr } = await at.output(`export nosuch ${at.folder}/x.tar.gz`);
  assert.equal(code, 3);
  assert.match(stderr, /there is no container nosuch/);
});

for (const kind of ["export", "import"]) {
  test(`${kind} --cancel cancels one that runs elsewhere`, async (t) => {
    const { at } = await fixture(t);
    const none = await at.output(`${kind} web --cancel`);
    assert.equal(none.code, 1);
    assert.match(none.stderr, new RegExp(`no ${kind} of web is running; nothing was changed`));
    at.guest.gate = new Promise(() => undefined);
    await at.output(`${kind} web x.tar.gz --yes --detach`);
    const { code, stdout } = await at.output(`${kind} web --cancel`);
    assert.deepEqual([code, stdout], [0, `web: the ${kind} is being cancelled\n`]);
  });
}
