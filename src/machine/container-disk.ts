import { open, stat, truncate } from "node:fs/promises";
import { TremplinError } from "../base/tremplin-error.ts";

const UNITS: Readonly<Record<string, number>> = { M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** What btrfs needs to be of use. Bytes. */
const SMALLEST = 1024 ** 3;

/** Reads a size such as 40G (units of 1024). Throws `invalid`. */
export function parseSize(text: string): number {
  const match = /^(\d{1,6})([MGT])(?:iB)?$/i.exec(text);
  const size = Number(match?.[1]) * (UNITS[match?.[2]?.toUpperCase() ?? ""] ?? Number.NaN);
  if (size >= SMALLEST) return size;
  throw new TremplinError("invalid", `"${text}" is no size for a disk: write for example 40G, at least 1G`);
}

export interface DiskUse {
  /** Bytes that the machine may fill. */
  readonly size: number;
  /** Bytes that the file takes on the host. */
  readonly used: number;
}

/** Undefined where there is no disk. */
export async function diskUse(path: string): Promise<DiskUse | undefined> {
  try {
    const { size, blocks } = await stat(path);
    return { size, used: blocks * 512 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether the disk must grow to be as large as wanted. Throws `invalid` where it would have to shrink. */
export function needsToGrow(now: DiskUse | undefined, wanted: number): boolean {
  if (now && wanted < now.size) {
    throw new TremplinError(
      "invalid",
      `the disk has ${now.size / 1024 ** 3} GiB and cannot shrink; its file takes only what is in use (${(now.used / 1024 ** 3).toFixed(1)} GiB)`,
    );
  }
  return wanted !== now?.size;
}

/** Where btrfs has its superblock and the copies of that, and where in each its name is. Bytes. */
const SUPERBLOCK = 64 * 1024;
const COPIES = [64 * 1024 ** 2, 256 * 1024 ** 3];
const NAME_AT = 0x40;
const NAME = "_BHRfS_M";

/**
 * Throws `failed` for a disk that lost the beginning of its file system: the machine would take it for a new one and
 * make an empty file system on it.
 */
export async function checkSuperblock(path: string): Promise<void> {
  await using file = await open(path);
  const isAt = async (place: number): Promise<boolean> => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(NAME.length), 0, NAME.length, place + NAME_AT);
    return buffer.toString("latin1", 0, bytesRead) === NAME;
  };
  if ((await isAt(SUPERBLOCK)) || !(await Promise.all(COPIES.map(isAt))).includes(true)) return;
  throw new TremplinError(
    "failed",
    `the beginning of ${path} is damaged, and the machine would format it; its containers can be saved: run btrfs rescue super-recover on it (on a copy first), and try again`,
  );
}

/** Makes the disk, or grows it; the machine makes its file system as large at the next boot. The file is sparse. */
export async function growDisk(path: string, size: number): Promise<void> {
  await using file = await open(path, "a", 0o600);
  await file.sync();
  await truncate(path, size);
}
