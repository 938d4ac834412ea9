import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { stringify } from "yaml";
import { canAccess } from "../../base/files/files.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { countFiles, type FileCount } from "./count-files.ts";
import { Subprocess } from "./subprocess.ts";

/** The first members of a backup, and what they count in it. */
export interface ArchiveHead extends FileCount {
  /** A tar without its end: more members may follow. */
  readonly tar: Buffer;
}

/** A tar ends with two blocks of zeros. */
const END = 2 * 512;

/**
 * What lies beside the rootfs of a snapshot: metadata.yaml first, as engines want it, and the templates
 * (behaviour.md 11). A container that never had a metadata.yaml gets one that says its architecture.
 */
export async function archiveHead(
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
  const words = [
    "tar",
    "--create",
    "--file=-",
    "--blocking-factor=1",
    "--numeric-owner",
    ...members,
  ] as const;
  await using packing = Subprocess.start(words, { cwd, signal });
  const [tar, count] = await Promise.all([
    buffer(packing.stdout),
    countFiles(["find", ...members], cwd, signal),
  ]);
  await packing.succeeded();
  const end = tar.subarray(-END);
  if (end.length < END || end.some((byte) => byte !== 0)) {
    throw new TremplinError("failed", "tar wrote an archive that does not end as archives do");
  }
  return { ...count, tar: tar.subarray(0, -END) };
}
