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

for (const line of ["guest list", "guest add", "guest remove", "console"]) {
  test(`the help of "${line}" has no --guest, which means nothing there but is accepted`, async () => {
    const io = new RecordedIo();
    assert.equal(await run([...line.split(" "), "--guest", "vm", "--help"], io), 0, io.stderr);
    assert.match(io.stdout, /--host <addr>/);
    assert.doesNotMatch(io.stdout, /--guest </);
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

for (const [line, advice] of [
  ["init web", /no command "init": tremplin launch/],
  ["ls", /tremplin list lists/],
  ["rm web", /tremplin delete deletes/],
  ["execute web ls", /tremplin exec NAME COMMAND runs/],
  ["log web", /tremplin logs NAME shows/],
  ["scp a web:b", /tremplin cp copies files/],
  ["help ls", /tremplin list lists/],
  ["help nope", /there is no command "nope"; tremplin help lists all/],
  ["lsit", /unknown command 'lsit' \(Did you mean list\?\)/],
] as const) {
  test(`"${line}" is wrong usage, and says which command it is here`, async () => {
    const io = new RecordedIo();
    assert.equal(await run(line.split(" "), io), 2);
    assert.match(io.stderr, advice);
    assert.match(io.stderr, /^tremplin: [^\n]*\n$/);
    assert.equal(io.stdout, "");
  });
}

for (const line of [
  "list --host nowhere",
  "--host nowhere list",
  "--host=nowhere list",
  "--guest vm --host nowhere --json list",
  "usb attach web 1 --host nowhere",
  "usb --host nowhere attach web 1",
  "--host nowhere usb attach web 1",
  "shell --host nowhere web id",
  "--host nowhere shell web id --json",
  "shell web --user anna --host nowhere id -u",
  "shell web --host nowhere -- --help",
]) {
  test(`"${line}" reads the address`, async () => {
    const io = new RecordedIo();
    assert.equal(await run(line.split(" "), io), 2);
    assert.match(io.stderr, /nowhere\\?" is not an address/);
  });
}

test("an option of the program that no option of ours is named", async () => {
  const io = new RecordedIo();
  assert.equal(await run(["shell", "web", "-x", "id"], io), 2);
  assert.match(io.stderr, /-x is no option of tremplin shell; .* tremplin shell web -- -x/);
});

for (const [line, code, exitCode] of [
  ["list --json --host unix:/nowhere", "unavailable", 4],
  ["--json list --host unix:/nowhere", "unavailable", 4],
  ["delete bad_name --yes --json", "invalid", 2],
  ["list --json --nope", "invalid", 2],
  ["ls --json", "invalid", 2],
  ["shell --json bad_name id", "invalid", 2],
] as const) {
  test(`"${line}" ends with an error as an object`, async () => {
    const io = new RecordedIo();
    assert.equal(await run(line.split(" "), io), exitCode);
    assert.equal(io.stdout, "");
    const { error, ...more } = JSON.parse(io.stderr);
    assert.deepEqual([error.code, error.exitCode, more], [code, exitCode, {}]);
    assert.ok(error.message.length > 10);
  });
}

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
