import assert from "node:assert/strict";
import { test } from "node:test";
import { RecordedIo } from "../../test/support/command-line.ts";
import { run } from "./program.ts";

test("help lists the commands, and the options of each", async () => {
  const io = new RecordedIo();
  assert.equal(await run(["--help"], io), 0);
  for (const name of [
    "up",
    "down",
    "status",
    "list",
    "create",
    "start",
    "stop",
    "delete",
    "info",
    "watch",
    "doctor",
  ]) {
    assert.match(io.stdout, new RegExp(`^ {2}${name} `, "m"));
  }
  for (const line of [
    ["help", "create"],
    ["create", "--help"],
  ]) {
    const one = new RecordedIo();
    assert.equal(await run(line, one), 0);
    assert.match(one.stdout, /--debian <release>/);
  }
  assert.equal(io.stderr, "");
});

test("no command is wrong usage", async () => {
  const io = new RecordedIo();
  assert.equal(await run([], io), 2);
  assert.match(io.stderr, /Usage: tremplin/);
  assert.equal(io.stdout, "");
});

for (const [line, sentence] of [
  ["list --host nowhere", /"nowhere" is not an address/],
  ["host --guest vm", /NAME=ADDR/],
  ["host --guest vm=unix:/x --tls-cert /x", /all three of --tls-cert/],
  ["daemon --listen tcp:x", /is not an address/],
  ["watch --after 1.5", /whole number/],
  ["-lxd_subnet", /argument missing/],
] as const) {
  test(`"${line}" is rejected with a message`, async () => {
    const io = new RecordedIo();
    assert.equal(await run(line.split(" "), io), 2);
    assert.match(io.stderr, sentence);
  });
}
