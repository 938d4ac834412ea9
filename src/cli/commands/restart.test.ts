import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("restart waits for the final notice, and says in its own words how it ended", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  assert.equal((await at.output("restart web")).stdout, "web: restarted\n");
  at.guest.fault = "web does not start";
  const failed = await at.output("restart web");
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /web: restarting web failed: web does not start/);
  assert.deepEqual(at.guest.asked, ["restart web", "restart web"]);
});

test("restart of a missing container and of a busy one have their exit codes", async (t) => {
  const at = await CommandLineFixture.open(t);
  const missing = await at.output("restart web");
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /^tremplin: there is no container web$/m);
  at.guest.containers.set("web", "running");
  at.guest.operations.push({ id: "1", kind: "export", containerName: "web" });
  assert.equal((await at.output("restart web")).code, 5);
});

test("--json has the events, then the result", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  const { stdout } = await at.output("restart web --json");
  const documents = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(Object.keys(documents[0]), ["event"]);
  assert.equal(documents.at(-1).result, "restarted");
});
