import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CommandLineFixture } from "../../../test/support/command-line.ts";
import { localZone, ruleOfZone } from "./timezone.ts";

test("the rule of a zone is the last line of its file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "zones-"));
  try {
    await mkdir(join(folder, "Europe"));
    await writeFile(join(folder, "Europe/Berlin"), "TZif2\0\0\n\x0a\0binary\nCET-1CEST,M3.5.0,M10.5.0/3\n");
    await writeFile(join(folder, "old"), "TZif1\0\0binary");
    await writeFile(join(folder, "README"), "a text\nCET-1\n");
    assert.equal(await ruleOfZone("Europe/Berlin", folder), "CET-1CEST,M3.5.0,M10.5.0/3");
    for (const zone of ["old", "README", "Europe", "none", "../README", "/etc/passwd", ""]) {
      assert.equal(await ruleOfZone(zone, folder), "");
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("this computer has a zone", () => assert.match(localZone(), /^[A-Za-z]/));

test("timezone sets the zone of all containers, or of some", async (t) => {
  const at = await CommandLineFixture.open(t);
  at.guest.containers.set("web", "running").set("database", "stopped");
  const all = await at.output("timezone Etc/UTC");
  assert.deepEqual([all.code, all.stdout], [0, "Etc/UTC: set in 2 of 2 containers\n"]);
  const some = await at.output("timezone Etc/UTC web gone");
  assert.deepEqual([some.code, some.stdout], [1, "Etc/UTC: set in 1 of 2 containers\n"]);
  assert.match(some.stderr, /there is no container gone/);
  assert.equal((await at.output("timezone")).code, 0);
  assert.deepEqual(at.guest.asked.slice(0, 2), [
    "timezone Etc/UTC web database",
    "timezone Etc/UTC web gone",
  ]);
});
