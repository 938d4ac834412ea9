import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MachineFolder } from "./machine-folder.ts";
import { prepareMachine } from "./prepare-machine.ts";

test("a missing disk is not replaced by an empty one", async (context) => {
  const machines = await mkdtemp(join(tmpdir(), "tremplin-"));
  context.after(() => rm(machines, { recursive: true }));
  const folder = new MachineFolder("main", machines);
  await mkdir(folder.system, { recursive: true });
  const ports = { daemon: 1, ssh: 2, listener: 3 };
  await folder.saveSettings({ memory: 2048, cpus: 1, accelerator: "tcg", foundAt: "", ports });
  const preparing = prepareMachine(folder, { rebuild: false }, machines, new AbortController().signal);
  await assert.rejects(preparing.next(), /^TremplinError: the disk of machine main is missing: restore .*/);
  assert.deepEqual((await readdir(folder.path)).sort(), ["settings.json", "system"]);
});
