import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("rename and copy wait for their end and say it in their own words", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "stopped");
  assert.equal((await at.output("copy web db --snapshots")).stdout, "db: copied from web\n");
  assert.equal((await at.output("rename web www")).stdout, "www: renamed from web\n");
  assert.deepEqual([...at.guest.containers.keys()], ["db", "www"]);
  assert.deepEqual(at.guest.asked, ["copy web with snapshots db", "rename web www"]);
});

test("a missing source, a taken name and a running container are errors with what to do", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running").set("db", "stopped");
  assert.equal((await at.output("copy nope db2")).code, 3);
  assert.equal((await at.output("rename nope db2")).code, 3);
  assert.equal((await at.output("copy web db")).code, 1);
  const running = await at.output("rename web www");
  assert.equal(running.code, 1);
  assert.match(running.stderr, /stop it first/);
  at.guest.fault = "the disk is full";
  const failed = await at.output("copy web db2");
  assert.deepEqual([failed.code, at.guest.containers.has("db2")], [1, false]);
  assert.match(failed.stderr, /copying web to db2 failed: the disk is full/);
});
