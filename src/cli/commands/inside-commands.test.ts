import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLinePlace } from "../../../test/support/command-line.ts";

test("user sets a person up and says who it is", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "stopped");
  assert.deepEqual(await at.say("user web bob"), { code: 0, stdout: "web: is set up for bob\n", stderr: "" });
  assert.equal((await at.say("user web bob --json")).stdout, '{"container":"web","username":"bob"}\n');
  assert.deepEqual(at.guest.asked, ["user web bob", "user web bob"]);
});

test("user says who the person is where it is not the one that was wanted", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "stopped");
  await at.say("user web anna");
  const other = await at.say("user web bob");
  assert.deepEqual([other.code, other.stdout], [1, ""]);
  assert.match(other.stderr, /web is set up for anna already: nothing was changed for bob/);
});

test("user tells why not", async (t) => {
  const at = await CommandLinePlace.open(t);
  const missing = await at.say("user web bob");
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /setting up bob in web was refused: there is no container web/);
  assert.equal((await at.say("user web")).code, 3);
  at.guest.containers.set("web", "stopped");
  assert.match((await at.say("user web root")).stderr, /: the user name "root" belongs to the system$/m);
  assert.equal((await at.say("user web")).stdout, "web: is set up for ada\n");
});

test("timezone sets it everywhere, or where it is said", async (t) => {
  const at = await CommandLinePlace.open(t);
  at.guest.containers.set("web", "running").set("database", "stopped");
  const all = await at.say("timezone Etc/UTC");
  assert.deepEqual([all.code, all.stdout], [0, "Etc/UTC: set in 2 of 2 containers\n"]);
  const some = await at.say("timezone Etc/UTC web gone");
  assert.deepEqual([some.code, some.stdout], [1, "Etc/UTC: set in 1 of 2 containers\n"]);
  assert.match(some.stderr, /there is no container gone/);
  assert.equal((await at.say("timezone")).code, 0);
  assert.deepEqual(at.guest.asked.slice(0, 2), [
    "timezone Etc/UTC web database",
    "timezone Etc/UTC web gone",
  ]);
});

test("debug shows what the guest tells, without control characters", async (t) => {
  const at = await CommandLinePlace.open(t);
  assert.equal((await at.say("debug")).stdout, "== daemon\nversion  [31m1\n");
  assert.equal(
    JSON.parse((await at.say("debug --json")).stdout).debugInformation,
    "== daemon\nversion \u001b[31m1\n",
  );
});
