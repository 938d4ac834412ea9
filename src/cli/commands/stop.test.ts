import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLinePlace } from "../../../test/support/command-line.ts";

test("stop waits for the final notice", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "running");
  assert.equal((await at.say("stop web")).stdout, "web: stopped\n");
  assert.equal((await at.say("stop web")).stdout, "web: already stopped\n");
  assert.deepEqual(at.guest.asked, ["stop web"]);
});
