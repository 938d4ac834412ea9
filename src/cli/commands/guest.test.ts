import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";

test("guests are added, listed and removed by commands", async (t) => {
  const at = await CommandLineFixture.open(t);
  const token = join(at.folder, "token");
  await writeFile(token, "0123456789abcdef0123456789abcdef", { mode: 0o600 });
  const [address, listener] = ["two", "two-listener"].map((name) => `unix:${join(at.folder, name)}.sock`);
  const line = `guest add two ${address} --listener ${listener} --guest-token ${token}`;
  const first = await at.output(line);
  assert.deepEqual([first.code, first.stdout], [0, "two: added\n"]);
  assert.match(first.stderr, /^two: it does not answer yet: cannot reach guest two/);
  assert.equal((await at.output(line)).code, 1);
  const { stdout } = await at.output("guest list");
  assert.match(stdout, /^NAME +ADDRESS +STATE +LAST NOTICE$/m);
  assert.match(stdout, /^vm +unix:\S+ +reachable +-$/m);
  assert.match(stdout, /^two +unix:\S+ +away: cannot reach guest two/m);
  const { guests } = JSON.parse((await at.output("guest list --json")).stdout);
  assert.deepEqual(
    guests.map(({ name, fromCommandLine }: { name: string; fromCommandLine: boolean }) => [
      name,
      fromCommandLine,
    ]),
    [
      ["vm", true],
      ["two", false],
    ],
  );
  assert.equal((await at.output("guest remove two")).stdout, "two: removed\n");
  const missing = await at.output("guest remove two");
  assert.deepEqual(
    [missing.code, missing.stderr],
    [3, "tremplin: there is no guest two; the guests are vm\n"],
  );
  const fixed = await at.output("guest remove vm");
  assert.equal(fixed.code, 1);
  assert.match(fixed.stderr, /guest vm comes from the command line of the host: remove its --guest there/);
});

test("list names the guests if there are several, and marks what is only last known", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running");
  await at.output("list");
  await at.guest.close();
  const one = await at.output("list");
  assert.equal(one.code, 4);
  assert.match(one.stdout, /^web +running \(as last known\) +10\.0\.0\.1/m);
  assert.match(one.stderr, /^tremplin: cannot reach guest vm at unix:/);
  await at.guest.listen();
  const [address, listener] = ["far", "far-listener"].map((name) => `unix:${join(at.folder, name)}.sock`);
  await at.output(`guest add far ${address} --listener ${listener}`);
  const several = await at.output("list");
  assert.equal(several.code, 4);
  assert.match(several.stdout, /^GUEST +NAME +STATE/m);
  assert.match(several.stdout, /^vm +web +running +10\.0\.0\.1/m);
  assert.match(several.stderr, /^tremplin: cannot reach guest far/);
  const document = JSON.parse((await at.output("list --json")).stdout);
  const [web] = document.containers;
  assert.deepEqual([web.guest, web.name, web.stale], ["vm", "web", false]);
  assert.equal((await at.output("list --guest vm")).code, 0);
});
