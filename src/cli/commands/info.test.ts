import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("info shows a container and its primary user", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  const { stdout } = await at.output("info web");
  assert.match(stdout, /^address +10\.0\.0\.1$/m);
  assert.match(stdout, /^user +ada \(\/home\/ada\)$/m);
  const document = JSON.parse((await at.output("info web --json")).stdout);
  assert.equal(document.username, "ada");
  assert.equal(document.privileged, false);
});

test("info says why a running container has no address", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  at.guest.problems.push({ area: "addresses", problem: "all 13 addresses are in use", advice: "delete one" });
  assert.equal((await at.output("info web")).stderr, "");
  at.guest.address = "";
  const { stdout, stderr } = await at.output("info web");
  assert.match(stdout, /^address +none$/m);
  assert.equal(stderr, "all 13 addresses are in use\n  -> delete one\n");
  const { problems } = JSON.parse((await at.output("info web --json")).stdout);
  assert.deepEqual(problems, [{ problem: "all 13 addresses are in use", advice: "delete one" }]);
});
