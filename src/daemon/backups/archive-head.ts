import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { buffer } from "node:stream/consumers";
import { stringify } from "yaml";
import { canAccess } from "../../base/files/files.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Subprocess } from "./subprocess.ts";

/** The first members of a backup, with their number and size. */
export interface ArchiveHead extends FileCount {
  /** A tar without its end mark, so that more members can follow. */
  readonly tar: Buffer;
}

/** Find's exit code when a folder cannot be read or a file vanishes. */
const SOME_UNREADABLE = 1;

/** A tar ends with two blocks of zeros. */
const END_BYTES = 2 * 512;

/**
 * Packs the files next to the rootfs of a snapshot: metadata.yaml, which engines require first, and the templates
 * (docs/contract.md#backup-file-format). A container without a metadata.yaml gets one with its architecture.
 */
export async function packArchiveHead(
  folder: string,
  architecture: string,
  signal: AbortSignal,
): Promise<ArchiveHead> {
  const templates = (await canAccess(join(folder, "templates"))) ? ["templates"] : [];
  if (await canAccess(join(folder, "metadata.yaml"))) {
    return pack(folder, ["metadata.yaml", ...templates], signal);
  }
  const made = await mkdtemp(join(tmpdir(), "tremplin-metadata-"));
  try {
    const metadata = { architecture, creation_date: Math.floor(Date.now() / 1000), properties: {} };
    await writeFile(join(made, "metadata.yaml"), stringify(metadata));
    return await pack(made, ["metadata.yaml"], signal);
  } finally {
    await rm(made, { recursive: true });
  }
}

async function pack(cwd: string, members: readonly string[], signal: AbortSignal): Promise<ArchiveHead> {
  const command = [
    "tar",
    "--create",
    "--file=-",
    "--blocking-factor=1",
    "--numeric-owner",
    ...members,
  ] as const;
  await using packing = Subprocess.start(command, { cwd, signal });
  const [tar, count] = await Promise.all([
    buffer(packing.stdout),
    countFiles(["find", ...members], cwd, signal),
  ]);
  await packing.succeeded();
  const end = tar.subarray(-END_BYTES);
  if (end.length < END_BYTES || end.some((byte) => byte !== 0)) {
    throw new TremplinError("failed", "tar wrote an archive without an end mark");
  }
  return { ...count, tar: tar.subarray(0, -END_BYTES) };
}

export interface FileCount {
  readonly files: number;
  /** The sum of their sizes (lstat). */
  readonly bytes: number;
}

/**
 * Counts files, folders, links and devices below a folder, and adds up their sizes (docs/contract.md#exportcontainer).
 * Does not count sockets: no archive can contain them. `find`: the command up to the starting points.
 */
export async function countFiles(
  find: readonly [string, ...string[]],
  cwd: string,
  signal: AbortSignal,
): Promise<FileCount> {
  const command = [...find, "!", "-type", "s", "-printf", "%s\\n"] as const;
  // What cannot be read is left out of the backup, too.
  const options = { cwd, signal, consumeLine: () => true };
  await using counting = Subprocess.start(command, options, "find");
  let files = 0;
  let bytes = 0;
  for await (const line of createInterface({ input: counting.stdout })) {
    files++;
    bytes = Math.min(bytes + Number(line), Number.MAX_SAFE_INTEGER);
  }
  await counting.succeeded(SOME_UNREADABLE);
  return { files, bytes };
}
