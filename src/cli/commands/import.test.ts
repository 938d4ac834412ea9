import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";

test("import creates a container without confirmation", async (t) => {
  const at = await CommandLineFixture.open(t);
  const { code, stdout, stderr } = await at.output("import web web.tar.gz");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "web: imported\n");
  assert.match(stderr, /unpacking the backup, 2 KiB\/s 55 %/);
});

test("import asks for confirmation before it replaces a container", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "stopped");
  assert.equal((await at.output("import web web.tar.gz")).code, 2);
  const io = new RecordedIo();
  io.answers.push("no", "y");
  assert.equal(await at.run("import web web.tar.gz", io), 1);
  assert.match(io.stderr, /web was not replaced/);
  assert.deepEqual(at.guest.asked, []);
  assert.equal(await at.run("import web web.tar.gz", io), 0);
});
