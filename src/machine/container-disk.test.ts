import assert from "node:assert/strict";
import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkSuperblock, diskUse, growDisk, needsToGrow } from "./container-disk.ts";

const GIB = 1024 ** 3;

test("a disk is created sparse and grows; the error for shrinking has the used space", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "tremplin-"));
  context.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "disk");
  assert.equal(await diskUse(path), undefined);
  assert.equal(needsToGrow(undefined, GIB), true);
  await growDisk(path, GIB);
  assert.deepEqual(await diskUse(path), { size: GIB, used: 0 });
  await growDisk(path, 2 * GIB);
  const now = await diskUse(path);
  assert.equal(now?.size, 2 * GIB);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal(needsToGrow(now, 2 * GIB), false);
  assert.throws(() => needsToGrow(now, GIB), { code: "invalid", message: /has 2 GiB and cannot shrink/ });
});

test("a disk without its first superblock is not a new disk", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "tremplin-"));
  context.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "disk");
  await growDisk(path, GIB);
  await checkSuperblock(path);
  await using file = await open(path, "r+");
  // As mkfs.btrfs leaves it: a superblock and a copy of it.
  for (const place of [0x10000, 0x4000000]) await file.write("_BHRfS_M", place + 0x40);
  await checkSuperblock(path);
  await file.write(Buffer.alloc(1024 ** 2), 0, 1024 ** 2, 0);
  await assert.rejects(checkSuperblock(path), { code: "failed", message: /would format the disk/ });
});
