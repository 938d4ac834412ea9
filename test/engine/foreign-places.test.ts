import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { arch } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import {
  ContainerExportProgress_Status as Exported,
  ContainerImportProgress_Status as Imported,
} from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "../support/daemon.ts";
import { beginExport, exportContainer } from "../support/export-container.ts";
import { engineQuery } from "../support/in-container.ts";
import { limitedShare } from "../support/limited-share.ts";
import { execute } from "../support/system-state.ts";
import { type RawMember, tarBytes } from "../support/tar-bytes.ts";
import { importBackup, imported } from "../support/tiny-backup.ts";
import { createTiny, launchedDaemon } from "../support/tiny-container.ts";

/** As people call it. */
const machineName = arch() === "arm64" ? "ARM64" : "generic_64";

let daemon: TestDaemon;
/** The root folder of the container, on this machine. */
let root: string;
let owner: string;

before(async () => {
  daemon = await launchedDaemon();
  await createTiny(daemon, "web");
  root = join(daemon.folder, "state/lxd/storage-pools/default/containers/web/rootfs");
  owner = (await execute("stat", ["-c", "%u:%g", root])).stdout.trim();
});
after(() => daemon[Symbol.asyncDispose]());

async function members(path: string): Promise<string[]> {
  const { stdout } = await execute("tar", ["-tf", join(daemon.shared, path)]);
  return stdout.trim().split("\n");
}

async function failure(path: string): Promise<string> {
  await beginExport(daemon, "web", path);
  const final = await daemon.listener.final("export", "web");
  assert.equal(final.status, Exported.FAILED);
  return final.failureReason;
}

test("a share that cannot sync, link or change owners gets a backup, a second one in its place, and none that is too large", async () => {
  {
    await using _share = await limitedShare(join(daemon.shared, "limited"));
    const at = (name: string): string => join(daemon.shared, "limited", name);
    await exportContainer(daemon, "web", "limited/web.tar.gz");
    const first = await readFile(at("web.tar.gz"));
    await exportContainer(daemon, "web", "limited/web.tar.gz");
    assert.ok((await readFile(at("web.tar.gz"))).length > first.length / 2);
    await writeFile(at("made.tar.gz"), "");
    await exportContainer(daemon, "web", "limited/made.tar.gz");
    assert.deepEqual((await readdir(join(daemon.shared, "limited"))).sort(), ["made.tar.gz", "web.tar.gz"]);
    await imported(daemon, "copy", "limited/web.tar.gz");
  }
  await using _share = await limitedShare(join(daemon.shared, "small-files"), 100_000);
  assert.match(
    await failure("small-files/web.tar.gz"),
    /^the backup is larger than any file on that disk may be \(on FAT 4 GiB, .*export to another disk$/,
  );
  assert.deepEqual(await readdir(join(daemon.shared, "small-files")), ["web.tar.gz"]);
});

test("a limit on the size of the daemon's files is named", async () => {
  const limit = (bytes: string) => execute("prlimit", ["--pid", `${daemon.pid}`, `--fsize=${bytes}:`]);
  await limit("100000");
  try {
    assert.match(
      await failure("limited.tar.zst"),
      /larger than the 100000 bytes that this system allows the daemon/,
    );
  } finally {
    await limit("unlimited");
  }
});

test("a backup of a Mac's tar with a handwritten metadata.yaml becomes a container", async () => {
  const record = (text: string): string => `${text.length + 4} ${text}\n`;
  const attributes = [" SCHILY.xattr.com.apple.provenance=a", " SCHILY.xattr.trusted.overlay.opaque=y"];
  const header: RawMember = {
    name: "PaxHeader/x",
    type: "x",
    content: attributes.map((text) => record(text.trim())).join(""),
  };
  const members: readonly RawMember[] = [
    { name: "./._metadata.yaml", content: "\0\x05\x16\x07" },
    { name: "./metadata.yaml", content: `architecture: ${machineName}\r\ncreation_date: "2024-01-01"\r\n` },
    { name: "./rootfs/", type: "5" },
    header,
    { name: "./rootfs/file", content: "content" },
  ];
  await writeFile(join(daemon.shared, "mac.tar.zst"), zstdCompressSync(tarBytes(members)));
  const { status, failureReason } = await importBackup(daemon, "mac", "mac.tar.zst");
  assert.equal(status, Imported.DONE, failureReason);
  assert.equal(
    failureReason,
    "1 attribute of files left out, which a container cannot set: trusted.overlay.opaque",
  );
  const metadata = (await engineQuery(daemon, "/1.0/instances/mac/metadata")) as Record<string, unknown>;
  assert.equal(metadata.creation_date, Date.parse("2024-01-01") / 1000);
});

test("subvolumes in a container are in its backup, and its import has them as folders", async () => {
  const script = `
    btrfs subvolume create var/machines >/dev/null
    mkdir -p var/machines/deep && btrfs subvolume create var/machines/deep/inner >/dev/null
    echo one > var/machines/one && echo two > var/machines/deep/inner/two
    chown -R ${owner} var/machines
    btrfs subvolume snapshot -r var/machines/deep/inner var/frozen >/dev/null`;
  await execute("sh", ["-ec", script], { cwd: root });
  const { failureReason } = await exportContainer(daemon, "web", "subvolumes.tar.gz");
  assert.equal(failureReason, "");
  const names = await members("subvolumes.tar.gz");
  for (const name of ["var/machines/one", "var/machines/deep/inner/two", "var/frozen/two"]) {
    assert.ok(names.includes(`rootfs/${name}`), name);
  }
  await imported(daemon, "nested", "subvolumes.tar.gz");
  await exportContainer(daemon, "nested", "again.tar.gz");
  assert.deepEqual((await members("again.tar.gz")).sort(), names.sort());
});

test("files of a foreign owner are left out of a backup, and its last notice says which", async () => {
  await exportContainer(daemon, "web", "complete.tar.gz");
  // Its ids are shifted, unlike those of a container that never ran.
  await imported(daemon, "shifted", "complete.tar.gz");
  const script = "echo secret > foreign && chmod 600 foreign && chown 7:7 foreign";
  await execute("sh", ["-ec", script], { cwd: join(root, "../../shifted/rootfs/etc") });
  await beginExport(daemon, "shifted", "foreign.tar.gz");
  const { status, failureReason } = await daemon.listener.final("export", "shifted");
  assert.equal(status, Exported.DONE, failureReason);
  assert.match(
    failureReason,
    /^the backup is not complete: 1 file or folder left out \(.*\): \/etc\/foreign$/,
  );
  const names = await members("foreign.tar.gz");
  assert.ok(names.includes("rootfs/etc/passwd") && !names.includes("rootfs/etc/foreign"));
});
