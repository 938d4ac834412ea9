import assert from "node:assert/strict";
import { test } from "node:test";
import { findAccelerator, probeArguments } from "./accelerator.ts";

test("without a successful probe the machine is emulated", async () => {
  assert.equal(await findAccelerator("/nowhere/vmlinuz", new AbortController().signal), "tcg");
});

test("the probe succeeds only with hardware virtualization", () => {
  const args = probeArguments("/k");
  assert.equal(args[args.indexOf("-accel") + 1], "kvm");
  assert.ok(args.includes("-no-reboot"));
});
