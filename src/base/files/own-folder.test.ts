import assert from "node:assert/strict";
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { closedFolder, makeOwnFolder } from "./own-folder.ts";

// Hooks outside of a suite would run for the tests of other files as well (scripts/run-tests.mjs).
describe("folders of one user", () => {
  const isRoot = process.getuid?.() === 0;
  /** Any user who is neither root nor the one who runs the tests. */
  const STRANGER = 54_321;

  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "own-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function modeOf(path: string): Promise<number> {
    return (await stat(path)).mode & 0o7777;
  }

  test("a missing folder is created with its parents, also under an open umask", async () => {
    const umask = process.umask(0);
    try {
      await makeOwnFolder(join(folder, "a/b"));
      await makeOwnFolder(join(folder, "c"), 0o711);
      assert.deepEqual([await modeOf(join(folder, "a/b")), await modeOf(join(folder, "c"))], [0o700, 0o711]);
    } finally {
      process.umask(umask);
    }
  });

  test("a folder that is there stays as it is", async () => {
    await chmod(folder, 0o755);
    await makeOwnFolder(folder);
    assert.equal(await modeOf(folder), 0o755);
  });

  test("a folder that others can write to is rejected, also with the sticky bit", async () => {
    for (const mode of [0o777, 0o1777, 0o775]) {
      await chmod(folder, mode);
      await assert.rejects(makeOwnFolder(folder), {
        code: "invalid",
        message: /other users can write to .*chmod go-w/,
      });
    }
  });

  test("so is one below such a folder, unless only owners can rename its entries", async () => {
    await chmod(folder, 0o777);
    await assert.rejects(makeOwnFolder(join(folder, "a")), /other users can write to/);
    assert.deepEqual(await readdir(folder), []);
    await chmod(folder, 0o1777);
    await makeOwnFolder(join(folder, "a"));
  });

  test("a file, and a path through a file, are no folders", async () => {
    await assert.rejects(makeOwnFolder("/etc/passwd"), { code: "invalid", message: /is not a folder/ });
    await assert.rejects(makeOwnFolder("/etc/passwd/x"), { code: "invalid", message: /is not a folder/ });
  });

  test("links of ours are followed, and links in a circle end", async () => {
    await mkdir(join(folder, "real"));
    await symlink("real", join(folder, "link"));
    await makeOwnFolder(join(folder, "link/a"));
    assert.deepEqual(await readdir(join(folder, "real")), ["a"]);
    await symlink("circle", join(folder, "circle"));
    await assert.rejects(makeOwnFolder(join(folder, "circle/a")), /too many symbolic links/);
  });

  test("folders and links of another user are rejected, and nothing is made through them", {
    skip: !isRoot,
  }, async () => {
    const { symlink: link, lchown } = await import("node:fs/promises");
    await mkdir(join(folder, "theirs"));
    await chown(join(folder, "theirs"), STRANGER, STRANGER);
    for (const path of ["theirs", "theirs/a"]) {
      await assert.rejects(makeOwnFolder(join(folder, path)), {
        code: "invalid",
        message: /belongs to another user/,
      });
    }
    await mkdir(join(folder, "ours"));
    await link("ours", join(folder, "planted"));
    await lchown(join(folder, "planted"), STRANGER, STRANGER);
    await assert.rejects(makeOwnFolder(join(folder, "planted/a")), /belongs to another user/);
    assert.deepEqual(await readdir(join(folder, "ours")), []);
  });

  test("a folder that others cannot pass through is found, on the way to one that does not exist too", async () => {
    await chmod(folder, 0o700);
    assert.equal(await closedFolder(join(folder, "a/b")), folder);
    await chmod(folder, 0o711);
    assert.equal(await closedFolder(join(folder, "a/b")), undefined);
  });
});
