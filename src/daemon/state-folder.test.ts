import assert from "node:assert/strict";
import { lstat, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger } from "../base/logger.ts";
import { openStateFolder } from "./state-folder.ts";

test("the daemon keeps its id, also while the file cannot be read", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "state-folder-"));
  t.after(() => rm(folder, { recursive: true }));
  const { daemonId } = await openStateFolder(folder, silentLogger);
  assert.equal((await openStateFolder(folder, silentLogger)).daemonId, daemonId);
  const file = join(folder, "daemon-id");
  await rm(file);
  await symlink("daemon-id", file);
  await assert.rejects(openStateFolder(folder, silentLogger), { code: "ELOOP" });
  assert.ok((await lstat(file)).isSymbolicLink());
});
