import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { containersRun } from "./orphaned-containers.ts";

test("running containers are found by their monitor, whatever letters the folder of the engine has", async (t) => {
  const folder = `/tmp/jürgen-${process.pid}/lxd`;
  assert.equal(await containersRun(folder), false);
  const monitor = spawn("/bin/sleep", ["900"], { argv0: `[lxc monitor] ${folder}/containers penguin` });
  t.after(() => monitor.kill("SIGKILL"));
  await once(monitor, "spawn");
  assert.equal(await containersRun(folder), true);
  assert.equal(await containersRun(`${folder}.other`), false);
});
