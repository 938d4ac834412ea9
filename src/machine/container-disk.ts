import { open, stat, truncate } from "node:fs/promises";
import { TremplinError } from "../base/tremplin-error.ts";

/** A smaller btrfs is of no use. Bytes. */
export const MIN_DISK = 1024 ** 3;

export interface DiskUse {
  /** The size of the disk in bytes. */
  readonly size: number;
  /** The bytes that its sparse file occupies on the host. */
  readonly used: number;
}

/** Undefined when there is no disk. */
export async function diskUse(path: string): Promise<DiskUse | undefined> {
  try {
    const { size, blocks } = await stat(path);
    return { size, used: blocks * 512 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether the disk is smaller than wanted. Throws `invalid` when it is larger. */
export function needsToGrow(now: DiskUse | undefined, wanted: number): boolean {
  if (now && wanted < now.size) {
    throw new TremplinError(
      "invalid",
      `the disk has ${now.size / 1024 ** 3} GiB and cannot shrink; its file occupies only the space in use (${(now.used / 1024 ** 3).toFixed(1)} GiB)`,
    );
  }
  return wanted !== now?.size;
}

/** The offsets of the btrfs superblock and its copies, and of the magic number in each. Bytes. */
const SUPERBLOCK = 64 * 1024;
const COPIES = [64 * 1024 ** 2, 256 * 1024 ** 3];
const MAGIC_OFFSET = 0x40;
const MAGIC = "_BHRfS_M";

/**
 * Throws `failed` for a disk whose first superblock is lost: the machine would take it for a new disk and create an empty
 * file system on it.
 */
export async function checkSuperblock(path: string): Promise<void> {
  await using file = await open(path);
  const isAt = async (place: number): Promise<boolean> => {
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(MAGIC.length),
      0,
      MAGIC.length,
      place + MAGIC_OFFSET,
    );
    return buffer.toString("latin1", 0, bytesRead) === MAGIC;
  };
  if ((await isAt(SUPERBLOCK)) || !(await Promise.all(COPIES.map(isAt))).includes(true)) return;
  throw new TremplinError(
    "failed",
    `the btrfs superblock of ${path} is damaged, so the machine would format the disk; to recover its containers, run btrfs rescue super-recover on it (on a copy first), and try again`,
  );
}

/** Creates or grows the disk, a sparse file; the machine grows the file system at its next boot. */
export async function growDisk(path: string, size: number): Promise<void> {
  await using file = await open(path, "a", 0o600);
  await file.sync();
  await truncate(path, size);
}
