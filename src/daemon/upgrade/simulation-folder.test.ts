import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { test } from "node:test";
import { SIMULATION_FOLDER } from "./simulation-folder.ts";

test("no ordinary user of a Debian can put something in the place of the folder", async () => {
  const { uid, mode } = await stat(dirname(SIMULATION_FOLDER));
  assert.deepEqual([uid, mode & 0o022], [0, 0]);
});
