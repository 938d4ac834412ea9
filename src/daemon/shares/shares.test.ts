import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rename, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { withCode } from "../../../test/support/with-code.ts";
import { silentLogger } from "../../base/logger.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import { sharesOf } from "../containers/share-mark.ts";
import { chooseOwner, outsideOf } from "./owners.ts";
import { ShareRecords } from "./share-records.ts";
import { defaultPath, openSource, resolveSource } from "./source-folder.ts";
import { checkDevices, checkTarget } from "./target-path.ts";

const person = { uid: 1001, gid: 1002 };
const root = { uid: 0, gid: 0 };
const source = "/srv/src";

test("files are the caller's, else the folder's owner's, and never root's", () => {
  const owner = (caller: typeof person | undefined, opened: typeof person, readOnly = false) =>
    chooseOwner({ source, caller, opened, readOnly });
  assert.deepEqual(owner(person, { uid: 5, gid: 6 }).owner, person);
  assert.match(owner(person, { uid: 5, gid: 6 }).notes.join(), /belongs to uid 5/);
  assert.deepEqual(owner(root, person).owner, person);
  assert.deepEqual(owner(undefined, person), { owner: person, notes: [] });
  assert.equal(owner(undefined, root, true).owner, undefined);
  for (const opened of [root, { uid: 5, gid: 0 }]) {
    assert.throws(() => owner(root, opened), /no container may write as root/);
  }
});

test("the ids outside are those of the next start; without a map they are the same", () => {
  const map = [{ Isuid: true, Isgid: true, Hostid: 100_000, Nsid: 0, Maprange: 65_536 }];
  const container = (config: Record<string, string>) =>
    ({ name: "web", expanded_config: config }) as unknown as Instance;
  const shifted = container({
    "volatile.idmap.next": JSON.stringify(map),
    "volatile.last_state.idmap": "[]",
  });
  assert.deepEqual(outsideOf(shifted, { uid: 1000, gid: 1000 }), { uid: 101_000, gid: 101_000 });
  assert.deepEqual(outsideOf(container({}), person), person);
  assert.throws(() => outsideOf(shifted, { uid: 70_000, gid: 1 }), /the id map of web has no uid 70000/);
});

test("a share is kept whatever ids a container gives its user", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tremplin-shares-"));
  try {
    const open = () => ShareRecords.open(join(folder, "shares.json"), silentLogger);
    const records = await open();
    for (const [index, gid] of [0, 1000].entries()) {
      const ids = { uid: 1000, gid };
      await records.set(`${index}`, { source, readOnly: false, owner: person, person: ids, outside: ids });
    }
    assert.deepEqual([...(await open()).all], [...records.all]);
    assert.equal(records.all.size, 2);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a path in the container is absolute, plain, and not where its system mounts something", () => {
  for (const path of ["/data", "/mnt/my files", "/home/anna/ü", "/temporary"]) checkTarget(path);
  for (const path of [
    "",
    "data",
    "/",
    "/a/",
    "/a//b",
    "/a/../b",
    "/tmp",
    "/proc/1",
    "/a\\b",
    "/a\0",
    `/${"x".repeat(2000)}`,
  ]) {
    assert.throws(() => checkTarget(path), withCode("invalid"), path);
  }
  const part = fc.string({ unit: fc.constantFrom("/", ".", "a", "\n", "\0", "\\", "proc", "ü") });
  const isSafe = (path: string) =>
    throws(() => checkTarget(path)) || /^(\/(?!\.\.?(\/|$))[^/\n\0\\]+)+$/.test(path);
  fc.assert(fc.property(part, (text) => isSafe(text) && isSafe(`/${text}`)));
});

function throws(action: () => void): boolean {
  try {
    action();
    return false;
  } catch {
    return true;
  }
}

test("a device of a person at the path is never replaced", () => {
  const own = { type: "disk", source: "/x", path: "/mnt/x" };
  assert.throws(() => checkDevices({ own }, "/mnt/x"), /the device own of the container is at \/mnt\/x/);
  checkDevices({ ours: { ...own, "user.tremplin": "share" } }, "/mnt/x");
  assert.deepEqual(sharesOf({ own, usb: { ...own, "user.tremplin": "usb" } }), []);
});

test("links of a folder are resolved once, and a path that leads elsewhere later is refused", async () => {
  const base = await realpath(await mkdtemp(join(tmpdir(), "tremplin-shares-")));
  try {
    await mkdir(join(base, "a", "b"), { recursive: true });
    await symlink(join(base, "a"), join(base, "link"));
    const resolved = await resolveSource(join(base, "link", "b"), []);
    assert.equal(resolved, join(base, "a", "b"));
    assert.equal(defaultPath(resolved), "/mnt/b");
    await (await openSource(resolved))[Symbol.asyncDispose]();
    await rename(join(base, "a"), join(base, "moved"));
    await assert.rejects(openSource(resolved), /there is no such file or folder/);
    await symlink(join(base, "moved"), join(base, "a"));
    await assert.rejects(openSource(resolved), /leads to another place/);
  } finally {
    await rm(base, { recursive: true });
  }
});

test("no folder of the machine, of engines or of this program is shared, nor one that they are in", async () => {
  const base = await realpath(await mkdtemp(join(tmpdir(), "tremplin-shares-")));
  try {
    const state = join(base, "state");
    await mkdir(join(state, "lxd"), { recursive: true });
    await mkdir(join(base, "state-of-others"));
    await symlink(state, join(base, "link"));
    for (const folder of [
      "/",
      "/proc",
      "/dev/shm",
      "/sys",
      state,
      join(state, "lxd"),
      base,
      join(base, "link"),
    ]) {
      await assert.rejects(resolveSource(folder, [state]), withCode("invalid"), folder);
    }
    for (const folder of ["relative", "", join(base, "missing"), "/etc/passwd"]) {
      await assert.rejects(resolveSource(folder, [state]), withCode("invalid"), folder);
    }
    await resolveSource(join(base, "state-of-others"), [state]);
  } finally {
    await rm(base, { recursive: true });
  }
});
