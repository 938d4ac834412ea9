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
export function mustGrow(now: DiskUse | undefined, wanted: number): boolean {
  if (now && wanted < now.size) {
    throw new TremplinError(
      "invalid",
      `the disk has ${now.size / 1024 ** 3} GiB and cannot shrink; its file takes only what is in use (${(now.used / 1024 ** 3).toFixed(1)} GiB)`,
    );
  }
  return wanted !== now?.size;
}

/** Makes the disk, or grows it; the machine makes its file system as large at the next boot. The file is sparse. */
export async function growDisk(path: string, size: number): Promise<void> {
  await using file = await open(path, "a", 0o600);
  await file.sync();
  await truncate(path, size);
}
