import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findEngineProgram } from "./engine-program.ts";

test("LXD is taken first, then Incus; a missing one names the package to install", async () => {
  const folder = await mkdtemp(join(tmpdir(), "programs-"));
  try {
    await assert.rejects(findEngineProgram(undefined, [folder]), /no engine is installed: .* lxd or incus/);
    await assert.rejects(
      findEngineProgram("incus", [folder]),
      /install the package incus \(apt-get install incus\)/,
    );
    await writeFile(join(folder, "incusd"), "", { mode: 0o755 });
    assert.equal((await findEngineProgram(undefined, [folder])).kind, "incus");
    await writeFile(join(folder, "lxd"), "", { mode: 0o755 });
    assert.deepEqual(await findEngineProgram(undefined, [folder]), {
      kind: "lxd",
      executable: join(folder, "lxd"),
    });
    await writeFile(join(folder, "lxd"), "", { mode: 0o644 });
    assert.equal((await findEngineProgram("incus", ["/nowhere", folder])).executable, join(folder, "incusd"));
  } finally {
    await rm(folder, { recursive: true });
  }
});
