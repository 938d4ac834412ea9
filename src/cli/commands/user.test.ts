import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("user creates the primary user and prints it", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "stopped");
  assert.deepEqual(await at.output("user web bob"), {
    code: 0,
    stdout: "web: the primary user is bob\n",
    stderr: "",
  });
  assert.equal((await at.output("user web bob --json")).stdout, '{"container":"web","username":"bob"}\n');
  assert.deepEqual(at.guest.asked, ["user web bob", "user web bob"]);
});

test("user reports a primary user with another name", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "stopped");
  await at.output("user web anna");
  const other = await at.output("user web bob");
  assert.deepEqual([other.code, other.stdout], [1, ""]);
  assert.match(other.stderr, /the primary user of web is already anna; bob was not created/);
});

test("user reports why it failed", async (t) => {
  const at = await CommandLineFixture.open(t);
  const missing = await at.output("user web bob");
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /setting up bob in web was refused: there is no container web/);
  assert.equal((await at.output("user web")).code, 3);
  at.guest.containers.set("web", "stopped");
  assert.match((await at.output("user web root")).stderr, /: the user name "root" belongs to the system$/m);
  assert.equal((await at.output("user web")).stdout, "web: the primary user is ada\n");
});

test("user passes on what the guest has to say, and nothing of it changes the result", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "stopped");
  at.guest.notes = [
    "the primary user cannot become root inside: 100 % \u001b[31m, really",
    "two files are left",
  ];
  assert.deepEqual(await at.output("user web bob --json"), {
    code: 0,
    stdout: '{"container":"web","username":"bob"}\n',
    stderr: "web: the primary user cannot become root inside: 100 %  [31m, really\nweb: two files are left\n",
  });
});
