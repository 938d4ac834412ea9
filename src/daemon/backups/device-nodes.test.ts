import assert from "node:assert/strict";
import { lstat, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { silentLogger } from "../../base/logger.ts";
import type { IdMap } from "../guest/id-map.ts";
import { DeviceNodes } from "./device-nodes.ts";
import { splitMemberPath, type TarMember } from "./tar-member.ts";

const skip = process.getuid?.() === 0 ? false : "only root makes device nodes";

const shifted = [{ containerId: 0, hostId: 100_000, count: 65_536 }];
const idMap: IdMap = { uid: shifted, gid: shifted };

function node(path: string, change: Partial<TarMember> = {}): TarMember {
  const attributes = { mode: 0o1620, uid: 3, gid: 5, modifiedAt: 1_700_000_000_000 };
  return { type: "c", name: `rootfs/${path}`, device: "1,3", attributes, ...change };
}

/** A folder into which tar has unpacked an archive, and the nodes of that archive made in it. */
async function unpacked(
  t: TestContext,
  members: readonly TarMember[],
  prepare?: (rootfs: string) => unknown,
) {
  const folder = await mkdtemp(join(tmpdir(), "nodes-"));
  t.after(() => rm(folder, { recursive: true }));
  const rootfs = join(folder, "rootfs");
  await mkdir(join(rootfs, "dev"), { recursive: true });
  await prepare?.(rootfs);
  await utimes(join(rootfs, "dev"), 1_600_000_000, 1_600_000_000);
  const nodes = new DeviceNodes();
  for (const member of members) nodes.note(member, splitMemberPath(member.name).slice(1));
  const { signal } = new AbortController();
  await nodes.make(folder, idMap, { signal, log: silentLogger });
  assert.deepEqual(await readdir(folder), ["rootfs"]);
  return { rootfs, remark: nodes.remark };
}

test("an allowed node gets its numbers, owner, mode and time; its folder keeps its time", {
  skip,
}, async (t) => {
  const { rootfs, remark } = await unpacked(t, [node("dev/null"), node("dev/\xc3\xa4\n")]);
  assert.equal(remark, undefined);
  assert.deepEqual((await readdir(join(rootfs, "dev"))).sort(), ["null", "ä\n"]);
  const { rdev, uid, gid, mode, mtimeMs } = await lstat(join(rootfs, "dev/null"));
  assert.deepEqual([rdev, uid, gid, mode, mtimeMs], [0x103, 100_003, 100_005, 0o21620, 1_700_000_000_000]);
  assert.equal((await lstat(join(rootfs, "dev"))).mtimeMs, 1_600_000_000_000);
});

test("a node below a link, or of a foreign owner, is left out, and nothing is made elsewhere", {
  skip,
}, async (t) => {
  const outside = await mkdtemp(join(tmpdir(), "outside-"));
  t.after(() => rm(outside, { recursive: true }));
  const stranger = node("dev/zero", { attributes: { mode: 0o666, uid: 70_000, gid: 0, modifiedAt: 0 } });
  const members = [node("way/null"), node("missing/null"), stranger, node("dev/null")];
  const { rootfs, remark } = await unpacked(t, members, (folder) => symlink(outside, join(folder, "way")));
  assert.deepEqual(await readdir(outside), []);
  assert.deepEqual(await readdir(join(rootfs, "dev")), ["null"]);
  assert.equal(
    remark,
    'these device nodes were left out: "/way/null", "/missing/null", "/dev/zero"; the engine makes those that a container needs in /dev',
  );
});

test("what a later member of the archive has put in its place stays", { skip }, async (t) => {
  const { rootfs, remark } = await unpacked(t, [node("dev/null")], (folder) =>
    writeFile(join(folder, "dev/null"), "a file"),
  );
  assert.ok((await lstat(join(rootfs, "dev/null"))).isFile());
  assert.equal(remark, undefined);
});

test("a hard link to a node becomes a node, but a file with the name of an earlier one does not", {
  skip,
}, async (t) => {
  const links: TarMember[] = [
    { type: "h", name: "rootfs/dev/second", target: "./rootfs/dev/null" },
    { type: "h", name: "rootfs/dev/third", target: "rootfs/dev/second" },
    { type: "h", name: "rootfs/dev/other", target: "rootfs/etc/hosts" },
    { type: "-", name: "rootfs/dev/null" },
  ];
  const { rootfs } = await unpacked(t, [node("dev/null"), ...links]);
  assert.deepEqual((await readdir(join(rootfs, "dev"))).sort(), ["null", "second", "third"]);
});

test("all others are left out: nobody makes a disk for a container", { skip }, async (t) => {
  const disk = node("dev/sda", { type: "b", device: "8,0" });
  const asBlock = node("dev/null", { type: "b", device: "1,3" });
  const { rootfs, remark } = await unpacked(t, [disk, asBlock, node("dev/kmsg", { device: "1,11" })]);
  assert.deepEqual(await readdir(join(rootfs, "dev")), []);
  assert.match(remark ?? "", /"\/dev\/sda", "\/dev\/null", "\/dev\/kmsg";/);
});
