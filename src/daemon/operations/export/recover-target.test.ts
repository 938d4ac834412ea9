import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { eventually } from "../../../../test/support/eventually.ts";
import {
  exportContext,
  HALF,
  replaceBy,
  TestSharedFolder,
  WHOLE,
} from "../../../../test/support/shared-target.ts";
import { openSharedTarget } from "./shared-target.ts";
import type { TargetContext } from "./target-steps.ts";

// Hooks outside of a suite would run for the tests of other files as well (scripts/run-tests.mjs).
describe("recover-target", () => {
  const folder = new TestSharedFolder();

  /** What a person may do between a kill and the next daemon. */
  const since: Record<
    string,
    readonly [before: string | undefined, act: (path: string) => Promise<unknown>]
  > = {
    "a new file": [undefined, (path) => writeFile(path, "mine")],
    "a file in the place of the old one": ["yesterday", (path) => replaceBy(path, "different")],
    "content in the old file": ["yesterday", (path) => writeFile(path, "mine")],
    "a file of the same size in the place of the empty one": [
      "",
      (path) => replaceBy(path, HALF.toString("latin1")),
    ],
    "an empty file in the place of the empty one": ["", (path) => replaceBy(path, "")],
    "content in the empty file": ["", (path) => writeFile(path, "mine")],
    "a backup in the place of the empty one, deleted first": [
      "",
      async (path) => {
        await unlink(path);
        await writeFile(path, HALF);
      },
    ],
  };
  for (const [what, [before, act]] of Object.entries(since)) {
    test(`after a kill, recovery leaves alone ${what} that a person put there`, async () => {
      if (before !== undefined) await writeFile(folder.at("backup"), before);
      const context = exportContext();
      await folder.writeHalf("backup", context);
      await act(folder.at("backup"));
      const theirs = await readFile(folder.at("backup"));
      assert.equal(await folder.recover(context), undefined);
      assert.deepEqual(await readFile(folder.at("backup")), theirs);
      assert.deepEqual(await readdir(folder.path), ["backup"]);
    });
  }

  test("after a kill the old file stays, an empty one is truncated, and a new one is empty", async () => {
    await writeFile(folder.at("old"), "yesterday");
    await writeFile(folder.at("made"), "");
    for (const path of ["old", "made", "new"]) {
      const context = exportContext();
      await folder.writeHalf(path, context);
      assert.equal(await folder.recover(context), undefined);
    }
    assert.deepEqual(
      [await folder.read("old"), await folder.read("made"), await folder.read("new")],
      ["yesterday", "", ""],
    );
    assert.deepEqual((await readdir(folder.path)).sort(), ["made", "new", "old"]);
  });

  test("after a kill, recovery leaves alone a backup that a person copied into the empty file", async () => {
    const half = gzipSync(randomBytes(4096));
    const theirs = gzipSync(randomBytes(4096));
    for (const [now, left] of [
      [theirs, theirs],
      [half, Buffer.alloc(0)],
    ] as const) {
      await writeFile(folder.at("made"), "");
      const context = exportContext();
      {
        await using target = await openSharedTarget(folder.path, "made", context);
        await target.file.write(half);
        await eventually("a note", async () => ("beginning" in context.steps ? true : undefined));
      }
      await writeFile(folder.at("made"), now);
      assert.equal(await folder.recover(context), undefined);
      assert.deepEqual(await readFile(folder.at("made")), left);
      await writeFile(folder.at("made"), "");
    }
  });

  test("after a kill before the head is recorded, recovery leaves alone a backup that a person copied there", async () => {
    const theirs = gzipSync("mine");
    await writeFile(folder.at("made"), "");
    const context = exportContext();
    await folder.writeHalf("made", context);
    await writeFile(folder.at("made"), theirs);
    assert.equal(await folder.recover(context), undefined);
    assert.deepEqual(await readFile(folder.at("made")), theirs);
  });

  test("after a kill, recovery makes and removes nothing where the folder is gone, moved, a link or a file", async () => {
    await mkdir(folder.at("elsewhere"));
    const acts: (() => Promise<unknown>)[] = [
      () => rm(folder.at("folder"), { recursive: true }),
      () => rename(folder.at("folder"), folder.at("moved")),
      async () => {
        await rm(folder.at("folder"), { recursive: true });
        await symlink("elsewhere", folder.at("folder"));
      },
      async () => {
        await rm(folder.at("folder"), { recursive: true });
        await writeFile(folder.at("folder"), "mine");
      },
    ];
    for (const act of acts) {
      await rm(folder.at("folder"), { recursive: true, force: true });
      await mkdir(folder.at("folder"));
      const context = exportContext();
      await folder.writeHalf("folder/new", context);
      await act();
      assert.equal(await folder.recover(context), undefined);
      assert.deepEqual(await readdir(folder.at("elsewhere")), []);
    }
    assert.equal(await folder.read("folder"), "mine");
  });

  test("after a kill at each of the last steps, the backup is whole or the file is as it was before", async () => {
    for (const before of [undefined, "yesterday", ""]) {
      for (const last of ["packed", "published"]) {
        await rm(folder.at("backup"), { force: true });
        if (before !== undefined) await writeFile(folder.at("backup"), before);
        const context = exportContext();
        const killed = { ...context, step: dyingAt(last, context) };
        await assert.rejects(folder.write("backup", undefined, killed), /killed/);
        const conclusion = await folder.recover(context);
        assert.equal(await folder.read("backup"), conclusion ? WHOLE : (before ?? ""), `${before} ${last}`);
        assert.ok(last === "packed" || conclusion === "done");
        assert.deepEqual(await readdir(folder.path), ["backup"]);
      }
    }
  });

  /** A journal that dies when it is to write this step. */
  function dyingAt(last: string, { step }: TargetContext): TargetContext["step"] {
    return async (...args) => {
      if (args[0] === last) throw new Error("killed");
      await step(...args);
    };
  }
});
