import type { FileHandle } from "node:fs/promises";

/** What file systems answer that cannot do something: shares of a network, FUSE, FAT. */
const UNSUPPORTED = new Set(["EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"]);

/** Whether a call failed only because the file system cannot do it at all. */
export function isUnsupported(error: unknown): boolean {
  return UNSUPPORTED.has((error as NodeJS.ErrnoException).code ?? "");
}

/** Writes a file or folder to the disk. False where its file system cannot do that; throws where the disk fails. */
export async function syncIfSupported(file: FileHandle): Promise<boolean> {
  try {
    await file.sync();
    return true;
  } catch (error) {
    if (!isUnsupported(error)) throw error;
    return false;
  }
}
