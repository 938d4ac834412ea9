import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { FileEntrySchema, type FileItem, FileItemSchema } from "../../contract/tremplin/v1/guest_pb.js";
import type { Item } from "./read-own.ts";
import { OwnReceiver } from "./write-own.ts";

type Step = FileItem["item"];

function step(item: Item["item"]): Step {
  return create(FileItemSchema, { item: item as Step }).item;
}
function entry(name: string | Uint8Array, target = "") {
  const bytes = typeof name === "string" ? Buffer.from(name, "latin1") : name;
  return create(FileEntrySchema, {
    name: new Uint8Array(bytes),
    mode: 0o777,
    target: new Uint8Array(Buffer.from(target)),
  });
}
const end = step({ case: "end", value: true });
const data = step({ case: "data", value: new Uint8Array([1, 2, 3]) });

interface Ground {
  readonly root: string;
  readonly target: string;
}

/** A folder to copy to, beside one that nothing may reach. */
async function onGround(act: (ground: Ground) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "own-"));
  try {
    const target = join(root, "target");
    await mkdir(target);
    await mkdir(join(root, "outside"));
    await act({ root, target });
    assert.deepEqual(await readdir(join(root, "outside")), []);
    assert.deepEqual((await readdir(root)).sort(), ["outside", "target"]);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Whether the receiver takes all steps. */
async function takes(target: string, steps: readonly Step[]): Promise<boolean> {
  using receiver = await OwnReceiver.open(target, true);
  try {
    for (const each of steps) await receiver.take(each);
    receiver.finish();
    return true;
  } catch (error) {
    assert.equal((error as Error).name, "TremplinError", String(error));
    return false;
  }
}

describe("what a guest sends is written only below the destination", () => {
  for (const name of ["", ".", "..", "a/b", "/etc", "../outside/x", "a\0b", "x".repeat(256)]) {
    test(`the name ${JSON.stringify(name.slice(0, 20))} is refused for files, folders and links`, async () => {
      await onGround(async ({ target }) => {
        for (const kind of ["file", "folder", "link"] as const) {
          assert.equal(
            await takes(target, [step({ case: kind, value: entry(name, "x") }), data, end]),
            false,
          );
        }
        assert.deepEqual(await readdir(target), []);
      });
    });
  }

  test("a link that was sent, or that is there, is never entered as a folder, nor written through", async () => {
    await onGround(async ({ root, target }) => {
      const link = step({ case: "link", value: entry("x", join(root, "outside")) });
      const folder = step({ case: "folder", value: entry("x") });
      const file = step({ case: "file", value: entry("planted") });
      assert.equal(await takes(target, [link, folder, file, data, end, end]), false);
      await symlink(join(root, "outside/planted"), join(target, "planted"));
      assert.equal(await takes(target, [file, data, end]), true);
      assert.deepEqual(await readFile(join(target, "planted")), Buffer.from([1, 2, 3]));
    });
  });

  test("a tree that ends in the middle, or is broken off by a skip, leaves no part of a file", async () => {
    await onGround(async ({ target }) => {
      const file = step({ case: "file", value: entry("part") });
      const skipped = step({ case: "skipped", value: { reason: "it cannot be read" } });
      assert.equal(await takes(target, [file, data]), false);
      assert.equal(await takes(target, [file, data, file]), false);
      assert.equal(await takes(target, [end]), false);
      assert.equal(await takes(target, [data]), false);
      assert.equal(await takes(target, [file, data, skipped]), true);
      assert.deepEqual(await readdir(target), []);
    });
  });

  test("a pipe in the way, and what a link to nothing or a file with a slash names, are never replaced", async () => {
    await onGround(async ({ target }) => {
      const pipe = join(target, "x");
      execFileSync("mkfifo", [pipe]);
      const file = step({ case: "file", value: entry("x") });
      const link = step({ case: "link", value: entry("x", "elsewhere") });
      assert.equal(await takes(target, [file, data, end]), false);
      assert.equal(await takes(target, [link]), false);
      await symlink("x", join(target, "to-x"));
      for (const named of ["x", "to-x"])
        await assert.rejects(OwnReceiver.open(join(target, named), false), /is a pipe, a socket or a device/);
      assert.ok((await lstat(pipe)).isFIFO());
      await symlink("nothing", join(target, "link"));
      await assert.rejects(OwnReceiver.open(join(target, "link"), false), /link is a link to nothing/);
      await writeFile(join(target, "file"), "mine");
      await assert.rejects(OwnReceiver.open(`${join(target, "file")}/`, false), /file is no folder/);
      assert.deepEqual((await readdir(target)).sort(), ["file", "link", "to-x", "x"]);
    });
  });

  test("a file for which there is no space is not begun", async () => {
    await onGround(async ({ target }) => {
      using receiver = await OwnReceiver.open(target, true);
      const value = { ...entry("huge"), size: 2n ** 60n };
      const begun = receiver.take(step({ case: "file", value }));
      await assert.rejects(begun, /no space for .*huge: it needs .*, and .* are free/);
    });
  });

  test("any steps in any order leave whole files below the destination, and errors that are sentences", async () => {
    const names = fc.oneof(
      fc.constantFrom("a", "b", "..", ".", "x/y", "outside"),
      fc.uint8Array({ minLength: 1, maxLength: 4 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    );
    const steps = fc.oneof(
      names.map((name) => step({ case: "folder", value: entry(name) })),
      names.map((name) => step({ case: "file", value: entry(name) })),
      names.map((name) => step({ case: "link", value: entry(name, "../outside") })),
      fc.constantFrom(end, end, data),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 12 }), async (sent) => {
        await onGround(async ({ target }) => {
          await takes(target, sent);
          const all = await readdir(target, { recursive: true });
          assert.deepEqual(
            all.filter((name) => name.includes(".tremplin-")),
            [],
          );
        });
      }),
      { numRuns: 100 },
    );
  });
});
