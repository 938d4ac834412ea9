import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("debug prints the diagnostics of the guest, without control characters", async (t) => {
  const at = await CommandLineFixture.open(t);
  assert.equal((await at.output("debug")).stdout, "== daemon\nversion  [31m1\n");
  assert.equal(
    JSON.parse((await at.output("debug --json")).stdout).debugInformation,
    "== daemon\nversion \u001b[31m1\n",
  );
});
