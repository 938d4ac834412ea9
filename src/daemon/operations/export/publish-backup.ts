import { type FileHandle, link, rename, unlink } from "node:fs/promises";
import { identityOf, isUntouched } from "../../../base/files/file-identity.ts";
import { syncIfSupported } from "../../../base/files/sync.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { sha256OfFile } from "../../backups/compressed-file.ts";
import type { ExistingFile } from "./existing-file.ts";
import { cannotWrite, type OpenFolder } from "./open-folder.ts";

/** A whole backup under its temporary name. */
export interface CompleteBackup {
  readonly folder: OpenFolder;
  readonly temporary: string;
  readonly final: string;
  readonly file: FileHandle;
  /** As it was requested. */
  readonly path: string;
}

/** Whether the open file has that name. */
export async function hasName(folder: OpenFolder, name: string, file: FileHandle): Promise<boolean> {
  const [found, own] = await Promise.all([folder.find(name), file.stat({ bigint: true })]);
  return found?.ino === own.ino && found.dev === own.dev;
}

/** Gives the backup a name that no file had. Throws `failed` where a file has it by now. */
export async function linkToName(backup: CompleteBackup): Promise<void> {
  const { folder, temporary, final } = backup;
  try {
    // Unlike a rename, a link never replaces anything.
    await link(folder.at(temporary), folder.at(final));
  } catch {
    // A file system without hard links says so in many ways. Where it is something else, the rename says it again.
    if (!(await folder.find(final))) return await renameToFinal(backup);
    await assertSameContent(backup);
  }
  await unlink(folder.at(temporary));
}

/** Replaces a file by the backup. Throws `failed` where a user has changed or replaced the file since. */
export async function replaceExisting(backup: CompleteBackup, found: ExistingFile): Promise<void> {
  const { folder, final, file, path } = backup;
  await found.copyOwnerTo(file, path);
  await syncIfSupported(file);
  const now = await folder.find(final);
  // A user moved or deleted the file.
  if (!now) return await linkToName(backup);
  if (!isUntouched(identityOf(now), identityOf(found.stats))) throw changedMeanwhile(path);
  await renameToFinal(backup);
}

async function renameToFinal({ folder, temporary, final, path }: CompleteBackup): Promise<void> {
  await rename(folder.at(temporary), folder.at(final)).catch((error) => cannotWrite(path, error));
}

/** A file whose name and content have the fingerprint of the backup is this very backup. */
async function assertSameContent({ folder, final, file, path }: CompleteBackup): Promise<void> {
  const there = await folder.find(final);
  if (!there?.isFile() || final !== `${await sha256OfFile(`/proc/self/fd/${file.fd}`)}.tar.gz`)
    throw changedMeanwhile(path);
  if (final !== `${await sha256OfFile(folder.at(final))}.tar.gz`) throw changedMeanwhile(`${path}/${final}`);
}

function changedMeanwhile(path: string): TremplinError {
  return new TremplinError(
    "failed",
    `the file at ${path} was created or changed while the backup was written, so it was not replaced: export again, or to another name`,
  );
}
