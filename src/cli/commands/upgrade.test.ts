import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture, RecordedIo } from "../../../test/support/command-line.ts";

test("upgrade shows the phase, the percentage, the last line and the path of the log", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  const { code, stdout, stderr } = await at.output("upgrade web --to bookworm");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "web: it runs Debian 12 now\n");
  assert.match(stderr, /^the complete log is \/state\/upgrades\/web\.log on the guest$/m);
  assert.match(stderr, /upgrading: Unpacking libc6 - Unpacking +\[31mlibc6 \.\.\. 40 %/);
});

test("upgrade reports why it failed, and a release that is already installed", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  assert.equal((await at.output("upgrade web --to bullseye")).stdout, "web: it runs Debian 11 already\n");
  at.guest.fault = "the mirror is unreachable; web was rolled back";
  const { code, stderr } = await at.output("upgrade web --to bookworm");
  assert.equal(code, 1);
  assert.match(stderr, /web: upgrading failed: the mirror is unreachable; web was rolled back/);
  assert.equal((await at.output("upgrade nobody --to bookworm")).code, 3);
});

test("upgrade --dry-run reports costs and problems, and changes nothing", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  const good = await at.output("upgrade web --to bookworm --dry-run");
  assert.equal(good.code, 0, good.stderr);
  assert.equal(good.stdout, "300 MB to download\nweb: can be upgraded; nothing was changed\n");
  at.guest.fault = "the disk is full";
  const bad = await at.output("upgrade web --to bookworm --dry-run");
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /web cannot be upgraded yet: the disk is full/);
  assert.deepEqual(at.guest.asked, []);
});

for (const flag of ["--rollback", "--undo"]) {
  test(`upgrade ${flag} asks for confirmation, and waits for the end`, async (t) => {
    const at = await CommandLineFixture.open(t);
    at.guest.containers.set("web", "running");
    const unattended = await at.output(`upgrade web ${flag}`);
    assert.match(unattended.stderr, /cannot ask without a terminal: to roll back web, use --yes/);
    const io = new RecordedIo();
    io.answers.push("no");
    assert.equal((await at.output(`upgrade web ${flag}`, io)).code, 1);
    assert.deepEqual(at.guest.asked, []);
    assert.equal((await at.output(`upgrade web ${flag} --yes`)).stdout, "web: it was rolled back\n");
  });
}

for (const flag of ["--commit", "--keep"]) {
  test(`upgrade ${flag} deletes the rollback snapshot`, async (t) => {
    const at = await CommandLineFixture.open(t);
    at.guest.containers.set("web", "running");
    assert.equal((await at.output(`upgrade web ${flag}`)).stdout, "web: it was kept\n");
    assert.deepEqual(at.guest.asked, ["keep-upgrade web"]);
  });
}

test("who is in the way of a stop, and Ctrl-C in an upgrade, name --cancel", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "stopped");
  const gate = Promise.withResolvers<void>();
  at.guest.gate = gate.promise;
  const io = new RecordedIo();
  const upgrading = at.run("upgrade web --to bookworm", io);
  await io.written(/upgrading: Unpacking/);
  const busy = await at.output("start web");
  assert.equal(busy.code, 5, busy.stderr);
  assert.match(busy.stderr, /, or cancel it with tremplin upgrade web --cancel$/m);
  io.ctrlC();
  assert.equal(await upgrading, 130);
  assert.match(
    io.stderr,
    /continues in the background; follow it with tremplin watch --after \d+, or cancel it with tremplin upgrade web --cancel$/m,
  );
  gate.resolve();
});

test("the help has the names of today", async (t) => {
  const at = await CommandLineFixture.open(t);
  const { stdout } = await at.output("upgrade --help");
  assert.match(stdout, /--rollback .*--commit /s);
  assert.doesNotMatch(stdout, /--undo|--keep/);
});

test("upgrade --cancel cancels the upgrade that is running", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  at.guest.begin("upgrade", "web", () => new Promise(() => undefined));
  const { stdout } = await at.output("upgrade web --cancel");
  assert.equal(stdout, "web: the upgrade was cancelled and rolled back\n");
  const missing = await at.output("upgrade none --cancel");
  assert.deepEqual([missing.code, missing.stdout], [3, ""]);
  assert.match(missing.stderr, /there is no container none/);
  at.guest.containers.set("idle", "running");
  const idle = await at.output("upgrade idle --cancel");
  assert.equal(idle.code, 1);
  assert.match(idle.stderr, /no upgrade of idle is running; nothing was changed/);
});

for (const line of [
  "upgrade web",
  "upgrade web --to sid",
  "upgrade web --rollback --commit",
  "upgrade web --undo --keep",
  "upgrade web --dry-run",
]) {
  test(`"${line}" is wrong usage`, async (t) => {
    const at = await CommandLineFixture.open(t);
    assert.equal(await at.run(line), 2);
  });
}
