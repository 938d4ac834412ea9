import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { hasServices } from "./service-process.ts";

test("the package's units count where systemd runs, and only both of them", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "units-"));
  t.after(() => rm(root, { recursive: true }));
  const add = async (path: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), "");
  };
  assert.equal(hasServices(root), false);
  await add("lib/systemd/system/tremplin-host.service");
  await add("etc/systemd/system/tremplin.service");
  assert.equal(hasServices(root), false);
  await mkdir(join(root, "run/systemd/system"), { recursive: true });
  assert.equal(hasServices(root), true);
  await rm(join(root, "lib/systemd/system/tremplin-host.service"));
  assert.equal(hasServices(root), false);
});
