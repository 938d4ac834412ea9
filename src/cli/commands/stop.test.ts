import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("stop waits for the final notice", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  assert.equal((await at.output("stop web")).stdout, "web: stopped\n");
  assert.equal((await at.output("stop web")).stdout, "web: already stopped\n");
  assert.deepEqual(at.guest.asked, ["stop web"]);
});
