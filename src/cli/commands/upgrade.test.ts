import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLinePlace, RecordedIo } from "../../../test/support/command-line.ts";

test("upgrade shows phase, percent, last line and where all lines are", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "running");
  const { code, stdout, stderr } = await at.say("upgrade web --to bookworm");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "web: it runs Debian 12 now\n");
  assert.match(stderr, /^every line is in \/state\/upgrades\/web\.log, on the guest$/m);
  assert.match(stderr, /upgrading: Unpacking libc6 - Unpacking +\[31mlibc6 \.\.\. 40 %/);
});

test("upgrade says why it failed, and what it runs already", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "running");
  assert.equal((await at.say("upgrade web --to bullseye")).stdout, "web: it runs Debian 11 already\n");
  at.guest.fault = "the mirror is away; web was put back";
  const { code, stderr } = await at.say("upgrade web --to bookworm");
  assert.equal(code, 1);
  assert.match(stderr, /web: upgrading failed: the mirror is away; web was put back/);
  assert.equal((await at.say("upgrade nobody --to bookworm")).code, 3);
});

test("a look only tells what it takes, or what stands in the way", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "running");
  const good = await at.say("upgrade web --to bookworm --dry-run");
  assert.equal(good.code, 0, good.stderr);
  assert.equal(good.stdout, "300 MB to download\nweb: can be upgraded; nothing was changed\n");
  at.guest.fault = "the disk is full";
  const bad = await at.say("upgrade web --to bookworm --dry-run");
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /web cannot be upgraded yet: the disk is full/);
  assert.deepEqual(at.guest.asked, []);
});

test("undo asks first, and waits for the end", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "running");
  assert.match((await at.say("upgrade web --undo")).stderr, /nobody at a terminal, say --yes/);
  const io = new RecordedIo();
  io.answers.push("no");
  assert.equal((await at.say("upgrade web --undo", io)).code, 1);
  assert.deepEqual(at.guest.asked, []);
  assert.equal((await at.say("upgrade web --undo --yes")).stdout, "web: it was put back\n");
});

test("cancel, and what is not understood", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "running");
  const stopped = await at.say("upgrade web --cancel");
  assert.equal(stopped.stdout, "web: the upgrade was cancelled, and it is put back\n");
  assert.equal((await at.say("upgrade none --cancel")).stdout, "none: no upgrade is under way\n");
  for (const line of [
    "upgrade web",
    "upgrade web --to sid",
    "upgrade web --undo --keep",
    "upgrade web --dry-run",
  ]) {
    assert.equal((await at.say(line)).code, 2, line);
  }
});
