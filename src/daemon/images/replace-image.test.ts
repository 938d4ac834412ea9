import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { replaceImage } from "./replace-image.ts";

// Hooks outside of a suite would run for the tests of other files as well (scripts/run-tests.mjs).
describe("replaceImage", () => {
  let folder: string;
  const at = (...names: string[]): string => join(folder, ...names);

  async function makeImage(name: string, content: string): Promise<void> {
    await mkdir(at(name));
    for (const file of ["rootfs.tar.zst", "metadata.tar.gz"]) await writeFile(at(name, file), content);
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tremplin-image-"));
    await makeImage("fresh", "new");
  });
  afterEach(() => rm(folder, { recursive: true }));

  const replace = (): Promise<string | undefined> => replaceImage(at("image"), at("fresh"), at("old"));

  test("an older image is moved aside; a missing one is fine", async () => {
    assert.equal(await replace(), undefined);
    await makeImage("fresh", "newer");
    assert.equal(await replace(), undefined);
    assert.equal(await readFile(at("image/rootfs.tar.zst"), "utf8"), "newer");
    assert.deepEqual((await readdir(folder)).sort(), ["image", "old"]);
  });

  test("files that a person put into an image's folder, or in its place, are kept under another name", async () => {
    await makeImage("image", "old");
    await writeFile(at("image/my-backup.tar.gz"), "mine");
    assert.equal(await replace(), at("image.kept-1"));
    assert.equal(await readFile(at("image.kept-1/my-backup.tar.gz"), "utf8"), "mine");
    await rm(at("image"), { recursive: true });
    await writeFile(at("image"), "mine");
    await makeImage("fresh", "newer");
    assert.equal(await replace(), at("image.kept-2"));
    assert.equal(await readFile(at("image.kept-2"), "utf8"), "mine");
    assert.deepEqual((await readdir(folder)).sort(), ["image", "image.kept-1", "image.kept-2"]);
  });
});
