import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("timezone sets the zone of all containers, or of some", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running").set("database", "stopped");
  const all = await at.output("timezone Etc/UTC");
  assert.deepEqual([all.code, all.stdout], [0, "Etc/UTC: set in 2 of 2 containers\n"]);
  const some = await at.output("timezone Etc/UTC web gone");
  assert.deepEqual([some.code, some.stdout], [1, "Etc/UTC: set in 1 of 2 containers\n"]);
  assert.match(some.stderr, /there is no container gone/);
  assert.equal((await at.output("timezone Etc/UTC gone")).code, 3);
  at.guest.asked.pop();
  at.guest.zone = "Asia/Kolkata";
  const alone = await at.output("timezone");
  assert.deepEqual([alone.code, alone.stderr], [0, ""]);
  assert.equal(alone.stdout, "CONTAINER  TIME ZONE\nweb        Asia/Kolkata\ndatabase   Asia/Kolkata\n");
  const document = JSON.parse((await at.output("timezone --json")).stdout);
  assert.equal(document.containers[0].zone, "Asia/Kolkata");
  assert.equal(at.guest.asked.length, 2);
  assert.equal((await at.output("timezone --local web")).code, 0);
  assert.match(at.guest.asked.at(-1) ?? "", /^timezone \S+ web$/);
  assert.equal((await at.output("timezone Etc/UTC bad_name")).code, 2);
  at.guest.withoutZones.add("web");
  const partly = await at.output("timezone Etc/UTC");
  assert.equal(partly.stdout, "Etc/UTC: set in 2 of 2 containers, in 1 of them only for some programs\n");
  assert.deepEqual([partly.code, partly.stderr], [0, "in web only some programs have it\n"]);
  assert.deepEqual(at.guest.asked.slice(0, 2), [
    "timezone Etc/UTC web database",
    "timezone Etc/UTC web gone",
  ]);
});
