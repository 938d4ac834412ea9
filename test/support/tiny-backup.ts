import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { arch, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  ContainerImportProgress_Status as Imported,
  ImportContainerResponse_Status as Importing,
} from "../../src/contract/tremplin_pb.js";
import type { TestDaemon } from "./daemon.ts";
import { execute } from "./system-state.ts";

/** A large container on a slow machine takes its time. Milliseconds. */
const LONG = 600_000;

const ownArchitecture = arch() === "arm64" ? "aarch64" : "x86_64";

export interface BackupContent {
  /** The text of its metadata.yaml. */
  readonly metadata?: string;
  /** Files of the root file system besides those of the tiny container. */
  readonly files?: Readonly<Record<string, string>>;
  /** Files of the templates folder. */
  readonly templates?: Readonly<Record<string, string>>;
  /** A shell script that is run in the root file system before it is packed. */
  readonly script?: string;
  /** How tar packs it: `--gzip` (default), `--zstd`, `--xz`, or "" for not at all. */
  readonly packing?: string;
  /** The members in their order. */
  readonly members?: readonly string[];
}

export const plainMetadata = `architecture: ${ownArchitecture}\ncreation_date: 1700000000\nproperties: {os: tiny}\n`;

/** Puts a backup of a tiny container into the shared folder; its rootfs is that of `rootfs.tar.gz` there. */
export async function shareBackup(
  { shared }: TestDaemon,
  name: string,
  content: BackupContent = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tiny-backup-"));
  try {
    const root = join(folder, "rootfs");
    await mkdir(root);
    await mkdir(join(folder, "templates"));
    await execute("tar", ["-xzf", join(shared, "rootfs.tar.gz"), "-C", root]);
    await writeFile(join(folder, "metadata.yaml"), content.metadata ?? plainMetadata);
    const texts = [
      ...Object.entries(content.files ?? {}).map(([path, text]) => [join(root, path), text] as const),
      ...Object.entries(content.templates ?? {}).map(
        ([path, text]) => [join(folder, "templates", path), text] as const,
      ),
    ];
    for (const [path, text] of texts) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    }
    if (content.script) await execute("sh", ["-ec", content.script], { cwd: root });
    const path = join(shared, name);
    const { packing = "--gzip", members = ["metadata.yaml", "rootfs", "templates"] } = content;
    const owners = ["--numeric-owner", "--xattrs", "--xattrs-include=*", "--acls"];
    await execute("tar", ["-C", folder, ...owners, ...[packing].filter(Boolean), "-cf", path, ...members]);
    return path;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** ImportContainer until its final notice, which is given. */
export async function importBackup(
  daemon: TestDaemon,
  containerName: string,
  importPath: string,
  request = {},
) {
  const { status, failureReason } = await daemon.tremplin.importContainer({
    containerName,
    importPath,
    ...request,
  });
  assert.equal(status, Importing.IMPORTING, failureReason);
  return await daemon.listener.final("import", containerName, LONG);
}

/** The same, and it must be DONE. */
export async function imported(daemon: TestDaemon, containerName: string, importPath: string): Promise<void> {
  const final = await importBackup(daemon, containerName, importPath);
  assert.equal(final.status, Imported.DONE, final.failureReason);
}
