import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findOwnership } from "./shared-ownership.ts";

test("a folder whose file system keeps attributes keeps owners in them, and is not changed by the question", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "ownership-"));
  t.after(() => rm(folder, { recursive: true }));
  const { mtimeMs } = await stat(folder);
  assert.equal(await findOwnership(folder), "mapped-xattr");
  assert.equal((await stat(folder)).mtimeMs, mtimeMs);
});

test("elsewhere they are kept in files", async () => {
  // A file system without attributes of users.
  assert.equal(await findOwnership("/proc/self"), "mapped-file");
});
