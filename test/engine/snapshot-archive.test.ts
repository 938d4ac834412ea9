import assert from "node:assert/strict";
import { once } from "node:events";
import {
  lchown,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { systemClock } from "../../src/base/async/clock.ts";
import { silentLogger } from "../../src/base/logger.ts";
import { compressInto } from "../../src/daemon/backups/compressed-file.ts";
import { compressorFor } from "../../src/daemon/backups/compressor.ts";
import { ExportMeter } from "../../src/daemon/backups/export-meter.ts";
import { openSnapshotArchive } from "../../src/daemon/backups/snapshot-archive.ts";
import { type IdMap, toContainerId, toHostId } from "../../src/daemon/guest/id-map.ts";
import { execute } from "../support/system-state.ts";

/** The id map on the site crostini: the primary user and three more accounts keep their ids (docs/contract.md#default-profile). */
const ranges = [
  { containerId: 0, hostId: 1000000, count: 1000 },
  { containerId: 1000, hostId: 1000, count: 2 },
  { containerId: 1002, hostId: 1001002, count: 654358 },
  { containerId: 655360, hostId: 655360, count: 1 },
  { containerId: 655361, hostId: 1655361, count: 9996 },
  { containerId: 665357, hostId: 665357, count: 1 },
  { containerId: 665358, hostId: 1665358, count: 1000000 },
];
const shifted: IdMap = { uid: ranges, gid: ranges };
const unshifted: IdMap = { uid: [], gid: [] };

/** 250 letters in a folder of 250 letters: too long for a tar header. */
const LONG = `${"d".repeat(250)}/${"f".repeat(250)}`;
const ODD = Buffer.from("etc/\xff\xfe odd\nname -> x", "latin1");

const trees = [
  { what: "a container's ids", idMap: shifted, small: 100_000 },
  { what: "no shift", idMap: unshifted, small: 100 },
];
for (const { what, idMap, small } of trees) {
  describe(`the archive of a nasty tree with ${what}`, () => {
    let folder: string;
    let original: string;
    let unpacked: string;
    let meter: ExportMeter;
    const socket = createServer();

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "snapshot-archive-"));
      original = join(folder, "snapshot");
      unpacked = join(folder, "unpacked");
      await makeTree(original, idMap, small);
      socket.listen(join(original, "rootfs/etc/socket"));
      await once(socket, "listening");
      meter = new ExportMeter();
      await archive(original, idMap, meter, join(folder, "backup.tar.gz"));
      await mkdir(unpacked);
      const words = [
        "--xattrs",
        "--xattrs-include=*",
        "--acls",
        "--numeric-owner",
        "-xpf",
        join(folder, "backup.tar.gz"),
      ];
      await execute("tar", ["-C", unpacked, ...words]);
    });
    after(async () => {
      socket.close();
      await rm(folder, { recursive: true });
    });

    test("owners, modes, sizes, devices, links and times are those that the container sees", async () => {
      const expected = await listing(join(original, "rootfs"), idMap);
      assert.ok(expected.length > small);
      assert.deepEqual(await listing(join(unpacked, "rootfs"), unshifted), expected);
    });

    test("extended attributes, capabilities and ACLs are those that the container sees", async () => {
      const caps = await execute("getcap", [join(unpacked, "rootfs/bin/capable")]);
      assert.match(caps.stdout, /cap_net_raw[=+]+ep/);
      const { stdout } = await execute("getfattr", [
        "-d",
        "-m",
        "user",
        join(unpacked, "rootfs/etc/attributes"),
      ]);
      assert.match(stdout, /user\.note="kept"/);
      const acl = await execute("getfacl", [
        "--numeric",
        "--absolute-names",
        join(unpacked, "rootfs/etc/acl"),
      ]);
      assert.match(acl.stdout, /^user:1000:rw-$/m);
      assert.match(acl.stdout, /^group:42:r--$/m);
    });

    test("hard links and sparse files are preserved", async () => {
      const inodes = await execute("stat", [
        "-c",
        "%i %h",
        join(unpacked, "rootfs/etc/a"),
        join(unpacked, "rootfs/usr/b"),
      ]);
      const [a, b] = inodes.stdout.trim().split("\n");
      assert.equal(a, b);
      const { stdout } = await execute("stat", ["-c", "%s %b", join(unpacked, "rootfs/var/sparse")]);
      assert.match(stdout, /^1099511627776 \d{1,3}$/m);
    });

    test("metadata and templates are included, sockets are left out, and the counters are exact", async () => {
      assert.deepEqual((await readdir(unpacked)).sort(), ["metadata.yaml", "rootfs", "templates"]);
      const { totalInputFiles, inputFilesStreamed, totalInputBytes, inputBytesStreamed } = meter.read();
      const { stdout } = await execute(
        "find",
        [original, "!", "-type", "s", "-mindepth", "1", "-printf", "%s\n"],
        {
          maxBuffer: 1 << 26,
        },
      );
      const sizes = stdout.trim().split("\n").map(Number);
      assert.equal(totalInputFiles, sizes.length);
      assert.equal(inputFilesStreamed, totalInputFiles);
      assert.equal(
        Number(totalInputBytes),
        sizes.reduce((sum, size) => sum + size, 0),
      );
      assert.equal(inputBytesStreamed, totalInputBytes);
    });
  });
}

test("a snapshot without metadata.yaml gets one with its architecture", async () => {
  const folder = await mkdtemp(join(tmpdir(), "snapshot-archive-"));
  try {
    await mkdir(join(folder, "rootfs"));
    await archive(folder, unshifted, new ExportMeter(), join(folder, "backup.tar.gz"));
    const { stdout } = await execute("tar", ["-xOf", join(folder, "backup.tar.gz"), "metadata.yaml"]);
    assert.match(stdout, /^architecture: riscv64\ncreation_date: \d+\nproperties: {}\n$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

async function archive(folder: string, idMap: IdMap, meter: ExportMeter, path: string): Promise<void> {
  const { signal } = new AbortController();
  const options = { meter, clock: systemClock, signal, log: silentLogger };
  await using opened = await openSnapshotArchive({ folder, idMap, architecture: "riscv64" }, options);
  await using file = await open(path, "w");
  await compressInto(file, await compressorFor(path), meter, signal, opened.stream);
}

async function makeTree(snapshot: string, idMap: IdMap, small: number): Promise<void> {
  const root = join(snapshot, "rootfs");
  const host = (id: number): number => toHostId(idMap, "uid", id) ?? Number.NaN;
  for (const name of ["bin", "etc", "usr", "var", "dev", "empty", "small", LONG.slice(0, 250)]) {
    await mkdir(join(root, name), { recursive: true });
  }
  await mkdir(join(snapshot, "templates"));
  await writeFile(join(snapshot, "templates/hosts.tpl"), "127.0.0.1 localhost\n", { mode: 0o600 });
  await writeFile(join(snapshot, "metadata.yaml"), "architecture: x86_64\n", { mode: 0o400 });
  const files = [
    "etc/a",
    "etc/attributes",
    "etc/acl",
    "etc/person",
    "etc/android",
    "etc/everybody",
    "bin/setuid",
    "bin/capable",
    LONG,
  ];
  for (const name of files) await writeFile(join(root, name), `content of ${name}`);
  await writeFile(Buffer.concat([Buffer.from(`${root}/`), ODD]), "odd");
  await writeFile(join(root, "var/sparse"), "x");
  await truncate(join(root, "var/sparse"), 2 ** 40);
  const numbers = `${snapshot}.numbers`;
  await writeFile(numbers, Array.from({ length: small }, (_, index) => `${index}\n`).join(""));
  await execute("split", ["--lines=1", "--suffix-length=4", numbers, `${root}/small/`]);
  await execute("ln", [join(root, "etc/a"), join(root, "usr/b")]);
  await symlink("/etc/passwd", join(root, "etc/absolute"));
  await symlink("./rootfs/../..", join(root, "etc/climbing"));
  await execute("mknod", [join(root, "dev/null"), "c", "1", "3"]);
  await execute("mknod", [join(root, "dev/disk"), "b", "8", "1"]);
  await execute("mkfifo", [join(root, "etc/pipe")]);
  await execute("chown", ["-hR", `${host(0)}:${host(0)}`, root]);
  for (const [name, id] of Object.entries({ person: 1000, android: 655360, everybody: 665357 })) {
    await lchown(join(root, "etc", name), host(id), host(id));
  }
  await lchown(join(root, "etc/a"), host(42), host(7));
  await execute("chmod", ["4755", join(root, "bin/setuid")]);
  await execute("chmod", ["1777", join(root, "empty")]);
  await execute("setfattr", ["-n", "user.note", "-v", "kept", join(root, "etc/attributes")]);
  await execute("setfacl", ["-m", `u:${host(1000)}:rw,g:${host(42)}:r`, join(root, "etc/acl")]);
  await setCapability(join(root, "bin/capable"), idMap);
}

/** CAP_NET_RAW, effective; with shifted ids it includes the root id of its namespace (capabilities(7)). */
async function setCapability(path: string, idMap: IdMap): Promise<void> {
  const root = toHostId(idMap, "uid", 0) ?? 0;
  const value = Buffer.alloc(root === 0 ? 20 : 24);
  value.writeUInt32LE(root === 0 ? 0x02000001 : 0x03000001, 0);
  value.writeUInt32LE(1 << 13, 4);
  if (root !== 0) value.writeUInt32LE(root, 20);
  await execute("setfattr", ["-n", "security.capability", "-v", `0x${value.toString("hex")}`, path]);
}

/** One line for each file below a folder, with the ids that a container with that map sees. */
async function listing(folder: string, idMap: IdMap): Promise<string[]> {
  const format = "%y|%m|%U|%G|%T@|%s|%l|%P\\0";
  const words = [folder, "-mindepth", "1", "!", "-type", "s", "-printf", format];
  const { stdout } = await execute("find", words, { encoding: "latin1", maxBuffer: 1 << 26 });
  const lines = stdout
    .split("\0")
    .filter(Boolean)
    .map(async (line) => {
      const [type = "", mode, uid, gid, time, size, link, ...name] = line.split("|");
      const owner = toContainerId(idMap, "uid", Number(uid));
      const group = toContainerId(idMap, "gid", Number(gid));
      const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name.join("|"), "latin1")]);
      const what = type === "f" ? size : "cb".includes(type) ? (await lstat(path)).rdev : "";
      return [type, mode, owner, group, time, what, link, ...name].join("|");
    });
  return (await Promise.all(lines)).sort();
}
