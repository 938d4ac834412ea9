import type { BigIntStats } from "node:fs";
import { constants, type FileHandle, open, readFile } from "node:fs/promises";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { cannotWrite, O_PATH, type SharedPlace } from "./shared-place.ts";

/** A regular file that is there where one is to be written. While it is open its inode belongs to no other file. */
export class FoundFile implements AsyncDisposable {
  readonly handle: FileHandle;
  /** As it was found. */
  readonly stats: BigIntStats;

  constructor(handle: FileHandle, stats: BigIntStats) {
    this.handle = handle;
    this.stats = stats;
  }

  /** Throws `invalid` where the system does not let us. */
  async openToWrite(path: string): Promise<FileHandle> {
    // By its handle, not by its name: that may have gone to another file since.
    return await open(`/proc/self/fd/${this.handle.fd}`, constants.O_WRONLY).catch((error) =>
      cannotWrite(path, error),
    );
  }

  /** Gives another file the owner and the mode that this one has now. */
  async giveOwnerTo(file: FileHandle, path: string): Promise<void> {
    const { uid, gid, mode } = await this.handle.stat();
    try {
      const now = await file.stat();
      if (now.uid !== uid || now.gid !== gid) await file.chown(uid, gid);
      if ((now.mode & 0o7777) !== (mode & 0o7777)) await file.chmod(mode & 0o7777);
    } catch (error) {
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

/** Undefined where nothing has the name. Throws `invalid` where something has it that is no regular file. */
export async function openFound(
  place: SharedPlace,
  name: string,
  path: string,
): Promise<FoundFile | undefined> {
  const handle = await open(place.at(name), O_PATH | constants.O_NOFOLLOW).catch((error) => {
    if (error.code !== "ENOENT") cannotWrite(path, error);
  });
  if (!handle) return undefined;
  try {
    const stats = await handle.stat({ bigint: true });
    if (stats.isFile()) return new FoundFile(handle, stats);
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

/** Whether the file is mounted by itself, so that no rename can replace it. */
export async function isMountPoint({ handle }: FoundFile, { folder }: SharedPlace): Promise<boolean> {
  const [own, around] = await Promise.all([mountOf(handle), mountOf(folder)]);
  return own !== around;
}

async function mountOf({ fd }: FileHandle): Promise<string | undefined> {
  return /^mnt_id:\s*(\d+)$/m.exec(await readFile(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
}
