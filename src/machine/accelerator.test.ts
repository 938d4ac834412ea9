import assert from "node:assert/strict";
import { test } from "node:test";
import { findAccelerator, probeArguments } from "./accelerator.ts";

test("where the trial does not get through, everything is emulated", async () => {
  assert.equal(await findAccelerator("/nowhere/vmlinuz", new AbortController().signal), "tcg");
});

test("the trial can only end well on hardware", () => {
  const words = probeArguments("/k");
  assert.equal(words[words.indexOf("-accel") + 1], "kvm");
  assert.ok(words.includes("-no-reboot"));
});
