import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLinePlace } from "../../../test/support/command-line.ts";

test("debug prints the diagnostics of the guest, without control characters", async (t) => {
  const at = await CommandLinePlace.open(t);
  assert.equal((await at.say("debug")).stdout, "== daemon\nversion  [31m1\n");
  assert.equal(
    JSON.parse((await at.say("debug --json")).stdout).debugInformation,
    "== daemon\nversion \u001b[31m1\n",
  );
});
