import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";

test("delete waits for the final notice", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "stopped");
  assert.equal((await at.output("delete web --yes")).stdout, "web: deleted\n");
  assert.deepEqual(at.guest.asked, ["delete web"]);
});

test("what is not there is not asked about", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "stopped");
  const missing = [
    "delete nosuch",
    "delete nosuch/old",
    "delete web/old",
    "restore web old",
    "upgrade nosuch --rollback",
  ];
  for (const line of missing) {
    const io = new RecordedIo();
    io.answers.push("y");
    assert.deepEqual([await at.run(line, io), io.questions], [3, []], line);
  }
  at.guest.containerFields = { hasRollbackSnapshot: false };
  const { code, stderr } = await at.output("upgrade web --rollback");
  assert.deepEqual([code, /no snapshot of web from before an upgrade/.test(stderr)], [3, true], stderr);
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
