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

for (const [line, usage] of [
  ["help trust", /^Usage: tremplin trust \[/],
  ["help trust guest", /^Usage: tremplin trust guest \[/],
  ["help usb attach", /^Usage: tremplin usb attach \[/],
  ["help machine up", /^Usage: tremplin machine up \[/],
  ["help create web", /^Usage: tremplin create \[/],
] as const) {
  test(`"${line}" shows the help of that command`, async () => {
    const io = new RecordedIo();
    assert.equal(await run(line.split(" "), io), 0, io.stderr);
    assert.match(io.stdout, usage);
  });
}

test("the help of a subcommand that does not exist is wrong usage", async () => {
  assert.equal(await run(["help", "trust", "nobody"], new RecordedIo()), 2);
});

for (const [command, sentence] of [
  ["list", /--json +print one JSON document$/m],
  ["watch", /--json +print one JSON line for each event$/m],
  ["stop", /--json +print one JSON line for each event, then one JSON\s+document$/m],
  ["create", /^Give exactly one source: --debian/m],
  ["upgrade", /^Give exactly one of --to/m],
] as const) {
  test(`the help of ${command} says what to give and what it prints`, async () => {
    const io = new RecordedIo();
    assert.equal(await run([command, "--help"], io), 0);
    assert.match(io.stdout, sentence);
  });
}

test("the help of shell has no --json, which it ignores", async () => {
  const io = new RecordedIo();
  assert.equal(await run(["shell", "--help"], io), 0);
  assert.doesNotMatch(io.stdout, /--json/);
});

test("no command is wrong usage", async () => {
  const io = new RecordedIo();
  assert.equal(await run([], io), 2);
  assert.match(io.stderr, /Usage: tremplin/);
  assert.equal(io.stdout, "");
});

for (const [line, sentence] of [
  ["trust guest", /missing required argument/],
  ["usb attach web", /missing required argument/],
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
