import assert from "node:assert/strict";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { damagedContents } from "../../test/support/damaged-contents.ts";
import { temporaryFolder } from "../../test/support/hostile-peer.ts";
import { MachineFolder } from "./machine-folder.ts";

test("damaged settings are set aside and count as missing; the machine still counts as prepared", async () => {
  await using place = await temporaryFolder();
  const folder = new MachineFolder("m", place.path);
  await mkdir(folder.path, { recursive: true });
  const file = join(folder.path, "settings.json");
  const ports = { daemon: 4001, ssh: 4002, listener: 4003 };
  const settings = { memory: 2048, cpus: 2, accelerator: "tcg" as const, foundAt: "boot", ports };
  for (const [kind, content] of Object.entries(damagedContents)) {
    await writeFile(file, content);
    assert.equal(await folder.wasPrepared(), true);
    assert.equal(await folder.settings(), undefined, kind);
    assert.deepEqual(await readFile(`${file}.unreadable`), content);
    await rm(`${file}.unreadable`);
    await folder.saveSettings(settings);
    assert.deepEqual(await folder.settings(), settings);
  }
});
