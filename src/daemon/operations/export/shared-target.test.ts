import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  appendFile,
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { gzipSync } from "node:zlib";
import { pino } from "pino";
import { eventually } from "../../../../test/support/eventually.ts";
import { concludeTarget } from "./conclude-target.ts";
import { openSharedTarget, type SharedTarget } from "./shared-target.ts";
import type { TargetContext } from "./target-notes.ts";

let shared: string;

beforeEach(async () => {
  shared = await mkdtemp(join(tmpdir(), "tremplin-target-"));
});
afterEach(() => rm(shared, { recursive: true }));

const at = (name: string): string => join(shared, name);
const read = (name: string): Promise<string> => readFile(at(name), "utf8");

/** What the runner gives to an operation, with a journal in memory. */
function operation(id = "0123456789abcdef"): TargetContext {
  const steps: Record<string, string> = {};
  const step = async (name: string, value = "done"): Promise<void> => {
    steps[name] = value;
  };
  return { id, steps, step, log: pino({ level: "silent" }) };
}

/** What the compressor has written when its work is half done. */
const HALF = Buffer.from([0x1f, 0x8b, 8, 0]);

/** Writes a backup to its end, unless `meanwhile` or the naming of it throws. */
async function write(
  path: string,
  meanwhile: (target: SharedTarget) => Promise<unknown> = async () => undefined,
  context = operation(),
): Promise<string | undefined> {
  {
    await using target = await openSharedTarget(shared, path, context);
    await target.file.write(HALF);
    await meanwhile(target);
    await target.file.write("end");
    await target.file.sync();
    await target.publish("done");
  }
  return await concludeTarget(shared, context);
}
const WHOLE = "\x1f\ufffd\b\0end";

/** Writes half of a backup and leaves it so, as a kill does. */
async function writeHalf(path: string, context: TargetContext): Promise<void> {
  {
    await using target = await openSharedTarget(shared, path, context);
    await target.file.write(HALF);
  }
  // A kill has no time to empty it.
  if (context.steps.target?.includes("in-place")) await writeFile(at(path), HALF);
}

async function fails(writing: Promise<unknown>, reason: RegExp, context: TargetContext): Promise<void> {
  await assert.rejects(writing, reason);
  assert.equal(await concludeTarget(shared, context), undefined);
}

test("a new backup has its name only when it is whole, and can be read by all", async () => {
  const conclusion = await write("new", async () => {
    assert.deepEqual(await readdir(shared), [".tremplin-export-0123456789abcdef"]);
  });
  assert.equal(conclusion, "done");
  assert.deepEqual(await readdir(shared), ["new"]);
  assert.equal(await read("new"), WHOLE);
  assert.equal((await stat(at("new"))).mode & 0o777, 0o644 & ~process.umask());
});

test("a backup replaces a file with content, not its hard links, and has its mode", async () => {
  await writeFile(at("old"), "yesterday");
  await chmod(at("old"), 0o640);
  await link(at("old"), at("rotated"));
  await write("old", async () => assert.equal(await read("old"), "yesterday"));
  assert.equal(await read("old"), WHOLE);
  assert.equal(await read("rotated"), "yesterday");
  assert.equal((await stat(at("old"))).mode & 0o777, 0o640);
  assert.deepEqual((await readdir(shared)).sort(), ["old", "rotated"]);
});

test("an empty file is written itself: who shared that file alone has the backup in it", async () => {
  await writeFile(at("made"), "");
  const { ino } = await stat(at("made"));
  await write("made");
  assert.equal(await read("made"), WHOLE);
  assert.equal((await stat(at("made"))).ino, ino);
});

test("an empty file with hard links is replaced: the others stay empty", async () => {
  await writeFile(at("one"), "");
  await link(at("one"), at("two"));
  await Promise.all([write("one", undefined, operation("1")), write("two", undefined, operation("2"))]);
  assert.deepEqual([await read("one"), await read("two")], [WHOLE, WHOLE]);
  assert.notEqual((await stat(at("one"))).ino, (await stat(at("two"))).ino);
});

const wait = (): Promise<never> => Promise.reject(new Error("it failed"));

test("a failure leaves a file with content untouched, an empty one empty, and of a new one an empty one", async () => {
  await writeFile(at("old"), "yesterday");
  await writeFile(at("made"), "");
  const before = await stat(at("old"), { bigint: true });
  await mkdir(at("folder"));
  for (const path of ["old", "made", "new", "folder"]) {
    const context = operation();
    await fails(write(path, wait, context), /it failed/, context);
    assert.equal(await concludeTarget(shared, context), undefined, "repeated");
  }
  assert.deepEqual([await read("old"), await read("made"), await read("new")], ["yesterday", "", ""]);
  const after = await stat(at("old"), { bigint: true });
  assert.deepEqual([after.ino, after.mtimeNs, after.ctimeNs], [before.ino, before.mtimeNs, before.ctimeNs]);
  assert.deepEqual((await readdir(shared)).sort(), ["folder", "made", "new", "old"]);
  assert.deepEqual(await readdir(at("folder")), []);
});

/** What a person may do at the name of a backup while that is written, and what is there afterwards. */
const inTheWay: Record<
  string,
  readonly [before: string | undefined, act: (path: string) => Promise<unknown>]
> = {
  "makes a file where none was": [undefined, (path) => writeFile(path, "mine")],
  "makes an empty file where none was": [undefined, (path) => writeFile(path, "")],
  "makes a link where nothing was": [undefined, (path) => symlink("elsewhere", path)],
  "replaces the file by one of the same size": ["yesterday", (path) => replaceBy(path, "different")],
  "writes to the file": ["yesterday", (path) => appendFile(path, "!")],
  "writes as much to the file": ["yesterday", (path) => writeFile(path, "different")],
  "replaces the empty file": ["", (path) => replaceBy(path, "mine")],
  "replaces the empty file by an empty one": ["", (path) => replaceBy(path, "")],
};
async function replaceBy(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}
for (const [what, [before, act]] of Object.entries(inTheWay)) {
  test(`who ${what} meanwhile keeps it, and the backup fails`, async () => {
    if (before !== undefined) await writeFile(at("backup"), before);
    const context = operation();
    let theirs = "";
    const meanwhile = async (): Promise<void> => {
      await act(at("backup"));
      theirs = await read("backup").catch(() => "a link");
    };
    await fails(write("backup", meanwhile, context), /backup.*export it again|backup.*export again/, context);
    assert.equal(await read("backup").catch(() => "a link"), theirs);
    assert.deepEqual(await readdir(shared), ["backup"]);
  });
}

test("who takes the old backup away meanwhile keeps it where it is, and the new one gets the name", async () => {
  await writeFile(at("backup"), "yesterday");
  await write("backup", () => rename(at("backup"), at("backup.1")));
  assert.deepEqual([await read("backup"), await read("backup.1")], [WHOLE, "yesterday"]);
});

test("a rotation by hard links meanwhile does not matter", async () => {
  await writeFile(at("backup"), "yesterday");
  await write("backup", () => link(at("backup"), at("backup.1")));
  assert.deepEqual([await read("backup"), await read("backup.1")], [WHOLE, "yesterday"]);
});

test("a folder that is moved or replaced meanwhile fails it, and what is in it stays", async () => {
  await mkdir(at("folder"));
  await writeFile(at("folder/backup"), "yesterday");
  const context = operation();
  const move = async (): Promise<void> => {
    await rename(at("folder"), at("moved"));
    await mkdir(at("folder"));
  };
  await assert.rejects(write("folder/backup", move, context), /its folder was moved or replaced/);
  assert.equal(await read("moved/backup"), "yesterday");
  assert.deepEqual(await readdir(at("folder")), []);
});

test("two backups to one name at once: the second is refused", async () => {
  const second = async (): Promise<void> => {
    await symlink(".", at("way"));
    await assert.rejects(write("way/same", undefined, operation("2")), /another export is being written to/);
  };
  await write("same", second);
  assert.equal(await read("same"), WHOLE);
});

test("a folder gets the same backup once, and another file of that name is left", async () => {
  await mkdir(at("folder"));
  await write("folder", undefined, operation("1"));
  const [name = ""] = await readdir(at("folder"));
  const { ino } = await stat(at(`folder/${name}`));
  await write("folder", undefined, operation("2"));
  assert.deepEqual(await readdir(at("folder")), [name]);
  assert.equal((await stat(at(`folder/${name}`))).ino, ino);
  await writeFile(at(`folder/${name}`), "mine");
  const context = operation("3");
  await fails(write("folder", undefined, context), /left as it is/, context);
  assert.deepEqual(await readdir(at("folder")), [name]);
  assert.equal(await read(`folder/${name}`), "mine");
});

/** What a person may have done between a kill and the next daemon. */
const since: Record<string, readonly [before: string | undefined, act: (path: string) => Promise<unknown>]> =
  {
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
  test(`a kill, and a person who puts ${what}: it stays`, async () => {
    if (before !== undefined) await writeFile(at("backup"), before);
    const context = operation();
    await writeHalf("backup", context);
    await act(at("backup"));
    const theirs = await readFile(at("backup"));
    assert.equal(await concludeTarget(shared, context), undefined);
    assert.deepEqual(await readFile(at("backup")), theirs);
    assert.deepEqual(await readdir(shared), ["backup"]);
  });
}

test("a kill, and nobody touches anything: the old file stays, an empty one is empty again, a new one is empty", async () => {
  await writeFile(at("old"), "yesterday");
  await writeFile(at("made"), "");
  for (const path of ["old", "made", "new"]) {
    const context = operation();
    await writeHalf(path, context);
    assert.equal(await concludeTarget(shared, context), undefined);
  }
  assert.deepEqual([await read("old"), await read("made"), await read("new")], ["yesterday", "", ""]);
  assert.deepEqual((await readdir(shared)).sort(), ["made", "new", "old"]);
});

test("a kill, and a person who copies another backup into the empty file: it stays", async () => {
  const half = gzipSync(randomBytes(4096));
  const theirs = gzipSync(randomBytes(4096));
  for (const [now, left] of [
    [theirs, theirs],
    [half, Buffer.alloc(0)],
  ] as const) {
    await writeFile(at("made"), "");
    const context = operation();
    {
      await using target = await openSharedTarget(shared, "made", context);
      await target.file.write(half);
      await eventually("a note", async () => ("beginning" in context.steps ? true : undefined));
    }
    await writeFile(at("made"), now);
    assert.equal(await concludeTarget(shared, context), undefined);
    assert.deepEqual(await readFile(at("made")), left);
    await writeFile(at("made"), "");
  }
});

test("a kill before it is known how the backup begins, and a person who copies another one: it stays", async () => {
  const theirs = gzipSync("mine");
  await writeFile(at("made"), "");
  const context = operation();
  await writeHalf("made", context);
  await writeFile(at("made"), theirs);
  assert.equal(await concludeTarget(shared, context), undefined);
  assert.deepEqual(await readFile(at("made")), theirs);
});

test("a kill, and the folder is gone, moved, a link or a file: nothing is made or removed there", async () => {
  await mkdir(at("elsewhere"));
  const acts: (() => Promise<unknown>)[] = [
    () => rm(at("folder"), { recursive: true }),
    () => rename(at("folder"), at("moved")),
    async () => {
      await rm(at("folder"), { recursive: true });
      await symlink("elsewhere", at("folder"));
    },
    async () => {
      await rm(at("folder"), { recursive: true });
      await writeFile(at("folder"), "mine");
    },
  ];
  for (const act of acts) {
    await rm(at("folder"), { recursive: true, force: true });
    await mkdir(at("folder"));
    const context = operation();
    await writeHalf("folder/new", context);
    await act();
    assert.equal(await concludeTarget(shared, context), undefined);
    assert.deepEqual(await readdir(at("elsewhere")), []);
  }
  assert.equal(await read("folder"), "mine");
});

test("a kill at each note of the end: either whole, or as it was before", async () => {
  for (const before of [undefined, "yesterday", ""]) {
    for (const last of ["packed", "published"]) {
      await rm(at("backup"), { force: true });
      if (before !== undefined) await writeFile(at("backup"), before);
      const context = operation();
      const killed = { ...context, step: dyingAt(last, context) };
      await assert.rejects(write("backup", undefined, killed), /killed/);
      const conclusion = await concludeTarget(shared, context);
      assert.equal(await read("backup"), conclusion ? WHOLE : (before ?? ""), `${before} ${last}`);
      assert.ok(last === "packed" || conclusion === "done");
      assert.deepEqual(await readdir(shared), ["backup"]);
    }
  }
});

/** A journal that dies when it is to write this step. */
function dyingAt(last: string, { step }: TargetContext): TargetContext["step"] {
  return async (name, value) => {
    if (name === last) throw new Error("killed");
    await step(name, value);
  };
}

test("notes that another version made are left alone", async () => {
  await writeFile(at("backup"), "yesterday");
  const context = operation();
  await context.step("target", "?");
  assert.equal(await concludeTarget(shared, context), undefined);
  assert.equal(await read("backup"), "yesterday");
});
