import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("export shows files and bytes, and prints the path of the backup", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  const { code, stdout, stderr } = await at.output("export web backups/web.tar.gz");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "web: exported, 1 KiB, to backups/web.tar.gz in the shared folder\n");
  assert.match(stderr, /^exporting web: taking a snapshot and counting its files$/m);
  assert.match(stderr, /packing, 5 of 10 files, 1 KiB of 2 KiB, 512 B written 50 %/);
  assert.deepEqual(at.guest.asked, ["export web", "to backups/web.tar.gz"]);
});

test("export says what the guest left out of the backup", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  at.guest.remark = "the backup is not complete: 1 file or folder left out: /secret";
  const { code, stdout } = await at.output("export web web.tar.gz");
  assert.equal(code, 0);
  assert.equal(stdout, `web: exported, 1 KiB, to web.tar.gz in the shared folder: ${at.guest.remark}\n`);
});

test("export has a default file name", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  assert.match(
    (await at.output("export web")).stdout,
    /, to web-\d{8}-\d{6}\.tar\.gz in the shared folder\n$/,
  );
});

test("a missing container cannot be exported", async (t) => {
  const at = await CommandLineFixture.open(t);
  const { code, stderr } = await at.output("export web");
  assert.equal(code, 3);
  assert.match(stderr, /there is no container web/);
});
