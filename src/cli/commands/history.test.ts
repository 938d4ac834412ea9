import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("history lists operations with their end and reason", async (t) => {
  const at = await CommandLineFixture.open(t);
  await at.guest.notify("updateStopStatus", { containerName: "web", status: 1 });
  await at.guest.notify("updateStartStatus", {
    containerName: "web",
    status: 3,
    failureReason: "no\u202e memory",
  });
  await at.guest.notify("updateCreateStatus", { containerName: "db", status: 1, downloadProgress: 40 });
  const { stdout } = await at.output("history");
  assert.match(stdout, /^BEGUN +TOOK +CONTAINER +WHAT HAPPENED$/m);
  assert.match(stdout, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d s +web +stopped$/m);
  assert.match(stdout, /^\S+ \S+ +\d s +web +starting failed: no +memory$/m);
  assert.match(stdout, /^\S+ \S+ +\d s so far +db +fetching the image, or copying \(40 %\)$/m);
  assert.doesNotMatch((await at.output("history web")).stdout, /db/);
  assert.doesNotMatch((await at.output("history --running")).stdout, /web/);
  assert.match((await at.output("history --since 1h --limit 1")).stdout, /db/);
  assert.equal(JSON.parse((await at.output("history db --json")).stdout).operations[0].state, "UNDER_WAY");
  await at.guest.notify("updateCreateStatus", { containerName: "new", status: 2 });
  assert.match((await at.output("history new")).stdout, /^\S+ \S+ .* new +created, copied or renamed$/m);
});

test("history says when there is nothing, and what a time looks like", async (t) => {
  const at = await CommandLineFixture.open(t);
  assert.match((await at.output("history web")).stderr, /the host knows no operation of web/);
  assert.equal(await at.run("history --since yesterday"), 2);
});

test("watch begins with the events since a time", async (t) => {
  const at = await CommandLineFixture.open(t);
  assert.equal(await at.run("watch --since soon"), 2);
});
