import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chown, mkdir, mkdtemp, open, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { systemClock } from "../../src/base/async/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { compressInto } from "../../src/daemon/backups/compressed-file.ts";
import { compressorFor } from "../../src/daemon/backups/compressor.ts";
import { ExportMeter } from "../../src/daemon/backups/export-meter.ts";
import { openSnapshotArchive } from "../../src/daemon/backups/snapshot-archive.ts";
import { eventually } from "../support/eventually.ts";
import { execute } from "../support/system-state.ts";

const FIRST_ID = 1_000_000;
const range = [{ containerId: 0, hostId: FIRST_ID, count: 65536 }];
const idMap = { uid: range, gid: range };

let folder: string;
let root: string;

beforeEach(async () => {
  folder = await mkdtemp("/dev/shm/left-out-files-");
  root = join(folder, "rootfs");
  for (const name of ["etc", "closed", "open"]) await mkdir(join(root, name), { recursive: true });
  for (const name of ["etc/mine", "closed/hidden", "open/readable"]) await writeFile(join(root, name), name);
  await execute("chown", ["-R", `${FIRST_ID}:${FIRST_ID}`, root]);
});
afterEach(() => rm(folder, { recursive: true }));

/**
 * Archives the tree. Returns the remark, and tar's listing of the archive. `meanwhile` runs when tar waits in the first
 * file that is larger than a pipe.
 */
async function archive(meanwhile?: () => Promise<void>): Promise<{ remark: string; listing: string }> {
  const { signal } = new AbortController();
  const meter = new ExportMeter();
  const options = { meter, clock: systemClock, signal, log: silentLogger };
  await using opened = await openSnapshotArchive({ folder, idMap, architecture: "riscv64" }, options);
  const path = join(folder, "backup.tar.gz");
  await using file = await open(path, "w");
  const gate = join(folder, "gate");
  await execute("mkfifo", [gate]);
  const { program, args } = await compressorFor(path);
  const script = 'read line < "$0"; exec "$@"';
  const compressor = meanwhile
    ? { program: "sh", args: ["-c", script, gate, program, ...args] }
    : { program, args };
  const compressing = compressInto(file, compressor, meter, signal, opened.stream);
  if (meanwhile) await meanwhile().finally(() => writeFile(gate, "go\n"));
  await compressing;
  const { totalInputFiles, inputFilesStreamed, totalInputBytes, inputBytesStreamed } = meter.read();
  assert.ok(inputFilesStreamed <= totalInputFiles && inputBytesStreamed <= totalInputBytes);
  assert.ok(totalInputBytes < 2n ** 63n);
  return { remark: opened.remark(), listing: (await execute("tar", ["-tf", path])).stdout };
}

test("files and folders of a foreign owner are left out and named, and everything else is archived", async () => {
  const script = `
    echo s > secret; echo o > "$(printf 'odd\\377\\nname')"
    chmod 600 secret odd*; chmod 700 closed
    chown -R 0:0 secret odd* closed open`;
  await execute("sh", ["-ec", script], { cwd: root });
  const { remark, listing } = await archive();
  assert.match(remark, /^the backup is not complete: 3 files or folders left out \(permission is denied/);
  for (const name of ["/secret", "/closed", "/odd\\377\\nname"]) assert.ok(remark.includes(name), remark);
  assert.deepEqual(listing.trim().split("\n").sort(), [
    "metadata.yaml",
    "rootfs/",
    "rootfs/etc/",
    "rootfs/etc/mine",
    "rootfs/open/",
    "rootfs/open/readable",
  ]);
});

test("a tree whose root is of a foreign owner is refused, because nothing of it could be read", async () => {
  await chown(root, 5, 5);
  await assert.rejects(archive(), {
    message: /root folder belongs to id 5, which is outside of the container/,
  });
});

test("sparse files of exabytes, and attributes that no container may see, are no obstacle", async () => {
  await execute("truncate", ["-s", "7E", join(root, "one"), join(root, "two")]);
  await execute("setfattr", ["-n", "trusted.overlay.opaque", "-v", "y", join(root, "etc")]);
  const { remark, listing } = await archive();
  assert.equal(remark, "");
  assert.ok(listing.includes("rootfs/two"));
});

test("a file that shrinks while it is read does not end the backup", async () => {
  const large = join(root, "large");
  await writeFile(large, randomBytes(8 * 1024 * 1024));
  await chown(large, FIRST_ID, FIRST_ID);
  const { remark, listing } = await archive(async () => {
    await eventually("tar at the large file", async () => (await openFiles()).includes(large) || undefined);
    await truncate(large, 1024 * 1024);
  });
  assert.match(
    remark,
    /^the backup is not complete: 1 file or folder only in part, the rest as zeros: \/large/,
  );
  assert.ok(listing.includes("rootfs/large"));
});

/** The files that processes of this machine have open, as a text. */
async function openFiles(): Promise<string> {
  const look = "ls -l /proc/[0-9]*/fd 2>/dev/null || true";
  return (await execute("sh", ["-c", look], { maxBuffer: 1 << 26 })).stdout;
}
