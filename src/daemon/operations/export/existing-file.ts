import type { BigIntStats } from "node:fs";
import { constants, type FileHandle, open, readFile } from "node:fs/promises";
import { O_PATH } from "../../../base/files/files.ts";
import { isUnsupported } from "../../../base/files/sync.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { cannotWrite, type OpenFolder } from "./open-folder.ts";

/** A regular file that already has the name of a backup. While it is open no other file can get its inode. */
export class ExistingFile implements AsyncDisposable {
  readonly handle: FileHandle;
  /** At the time of opening. */
  readonly stats: BigIntStats;

  constructor(handle: FileHandle, stats: BigIntStats) {
    this.handle = handle;
    this.stats = stats;
  }

  /** Throws `invalid` where the system refuses that. */
  async openToWrite(path: string): Promise<FileHandle> {
    // By its handle: another file may have the name by now.
    return await open(`/proc/self/fd/${this.handle.fd}`, constants.O_WRONLY).catch((error) =>
      cannotWrite(path, error),
    );
  }

  /** Gives another file the current owner and mode of this one, where their file system has such. */
  async copyOwnerTo(file: FileHandle, path: string): Promise<void> {
    const { uid, gid, mode } = await this.handle.stat();
    try {
      const now = await file.stat();
      if (now.uid !== uid || now.gid !== gid) await file.chown(uid, gid);
      if ((now.mode & 0o7777) !== (mode & 0o7777)) await file.chmod(mode & 0o7777);
    } catch (error) {
      if (isUnsupported(error)) return;
      throw new TremplinError(
        "failed",
        `a new file cannot have the owner and the mode of ${path}, which it is to replace; delete that, or export to another name`,
        error,
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close();
  }
}

/** Undefined where there is no such file. Throws `invalid` for anything but a regular file. */
export async function openExisting(
  folder: OpenFolder,
  name: string,
  path: string,
): Promise<ExistingFile | undefined> {
  const handle = await open(folder.at(name), O_PATH | constants.O_NOFOLLOW).catch((error) => {
    if (error.code !== "ENOENT") cannotWrite(path, error);
  });
  if (!handle) return undefined;
  try {
    const stats = await handle.stat({ bigint: true });
    if (stats.isFile()) return new ExistingFile(handle, stats);
    const what = stats.isSymbolicLink() ? "it is a symbolic link" : "it is not a regular file";
    throw new TremplinError(
      "invalid",
      `cannot write to ${path}: ${what}; remove it, or export to another name`,
    );
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Whether the file is a mount point, so that no rename can replace it. */
export async function isMountPoint(
  { handle }: ExistingFile,
  { handle: folder }: OpenFolder,
): Promise<boolean> {
  const [ofFile, ofFolder] = await Promise.all([mountOf(handle), mountOf(folder)]);
  return ofFile !== ofFolder;
}

async function mountOf({ fd }: FileHandle): Promise<string | undefined> {
  return /^mnt_id:\s*(\d+)$/m.exec(await readFile(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
}
