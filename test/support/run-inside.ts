import assert from "node:assert/strict";
import type { Engine } from "../../src/engine/engine.ts";

/** Runs a script in a running container and gives what it printed; fails with its errors unless it ends well. */
export async function runInside(engine: Engine, container: string, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await engine.execCapture(container, ["sh", "-c", script]);
  assert.equal(exitCode, 0, stderr);
  return stdout;
}
