import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";

test("delete waits for the final notice", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "stopped");
  assert.equal((await at.output("delete web --yes")).stdout, "web: deleted\n");
  assert.deepEqual(at.guest.asked, ["delete web"]);
});

test("delete asks for confirmation, and needs --yes without a terminal", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "stopped");
  const unattended = await at.output("delete web");
  assert.equal(unattended.code, 2);
  assert.match(unattended.stderr, /--yes/);
  const io = new RecordedIo();
  io.answers.push("no", "y");
  assert.equal(await at.run("delete web", io), 1);
  assert.equal(at.guest.containers.has("web"), true);
  assert.equal(await at.run("delete web", io), 0);
  assert.equal(at.guest.containers.has("web"), false);
});
