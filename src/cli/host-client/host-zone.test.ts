import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { hostZone, ruleOfZone } from "./host-zone.ts";

test("the rule is the last line of the zone's file", async () => {
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

test("this machine has a zone", () => assert.match(hostZone(), /^[A-Za-z]/));
