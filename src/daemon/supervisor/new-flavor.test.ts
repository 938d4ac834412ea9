import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { addFakeFlavor } from "../../../test/support/fake-flavor.ts";
import { chooseEngine } from "./engine-choice.ts";
import { findEngineProcesses } from "./orphans/orphaned-engine.ts";
import { findEngineProgram } from "./process/engine-program.ts";

test("an engine that is only in the list of flavors is chosen, found and recognised while it runs", async (t) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "new-flavor-"));
  const { kind } = addFakeFlavor(t, folder.path);
  assert.deepEqual(chooseEngine("acme"), { how: "launch", kind });
  assert.throws(() => chooseEngine("docker"), /use lxd, incus, acme, unix:PATH or https/);
  await assert.rejects(findEngineProgram(kind), /install the package acme-server/);

  const executable = join(folder.path, "acmed");
  await writeFile(executable, "", { mode: 0o755 });
  const program = await findEngineProgram(kind);
  assert.deepEqual(program, { kind, executable });

  const env = { ACME_HOME: folder.path };
  const child = spawn("/bin/sleep", ["--", "900"], { argv0: executable, env });
  t.after(() => child.kill("SIGKILL"));
  await once(child, "spawn");
  assert.deepEqual(await findEngineProcesses(program, folder.path), [child.pid]);
  assert.deepEqual(await findEngineProcesses(program, "/elsewhere"), []);
});
