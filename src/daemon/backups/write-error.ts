import { type FileHandle, statfs } from "node:fs/promises";
import { textIfReadable } from "../../base/files/files.ts";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/** With less free space a failed write means that the disk is full. */
const MIN_FREE_BYTES = 1024 * 1024;
const PROBE_BYTES = 1024 * 1024;
/** The magic number of FAT, whose files have less than 4 GiB. */
const FAT_MAGIC = 0x4d44;
const MAX_FAT_FILE_BYTES = 2n ** 32n;
const GIB = 2 ** 30;

/**
 * The reason why a backup could not be written, as a sentence. A compressor does not report it, so the system is asked
 * what further bytes would meet. The error itself where nothing prevents that. The file is of no use afterwards.
 */
export async function explainWriteError(file: FileHandle, error: unknown): Promise<unknown> {
  const reason = isSystemError(error) ? error : await failureOfNextWrite(file);
  const code = reason?.code;
  const system = await statfs(`/proc/self/fd/${file.fd}`).catch(() => undefined);
  const isFull = system !== undefined && system.bavail * system.bsize < MIN_FREE_BYTES;
  const fail = (sentence: string): TremplinError => new TremplinError("failed", sentence, error);
  if (code === "ENOSPC" || isFull) {
    return fail("no disk space is left for the backup; free some, or export to another disk");
  }
  if (code === "EFBIG") return fail(await explainFileSize(system?.type));
  return reason === undefined ? error : fail(`cannot write the backup: ${systemErrorText(reason)}`);
}

/** Whether so many bytes may not fit into a file on its file system, unless they can be compressed. */
export async function mayExceedFat(file: FileHandle, bytes: bigint): Promise<boolean> {
  const { type } = await statfs(`/proc/self/fd/${file.fd}`);
  return type === FAT_MAGIC && bytes >= MAX_FAT_FILE_BYTES;
}

async function explainFileSize(fileSystem: number | undefined): Promise<string> {
  if (fileSystem === FAT_MAGIC) {
    return "the backup is larger than 4 GiB, and no file on a FAT file system may be: export to a disk with another one, such as exFAT, NTFS or ext4";
  }
  const limit = await fileSizeLimit();
  if (limit !== undefined) {
    return `the backup is larger than the ${sizeText(limit)} that this system allows the daemon for a file: raise the limit (ulimit -f, or LimitFSIZE= of its unit)`;
  }
  return "the backup is larger than any file on that disk may be (on FAT 4 GiB, which a share may be too): export to another disk";
}

/** The daemon's limit for the size of files in bytes; undefined for none. */
async function fileSizeLimit(): Promise<number | undefined> {
  const limits = await textIfReadable("/proc/self/limits");
  const limit = /^Max file size +(\d+)/m.exec(limits)?.[1];
  return limit === undefined ? undefined : Number(limit);
}

function sizeText(bytes: number): string {
  return bytes >= GIB ? `${Math.floor((10 * bytes) / GIB) / 10} GiB` : `${bytes} bytes`;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return (error as NodeJS.ErrnoException).syscall !== undefined;
}

/** Writes more than a compressor does at once: a share may refuse a whole write of which a part would fit. */
async function failureOfNextWrite(file: FileHandle): Promise<NodeJS.ErrnoException | undefined> {
  try {
    const { size } = await file.stat();
    for (let written = 0; written < PROBE_BYTES; ) {
      const left = Buffer.alloc(PROBE_BYTES - written);
      written += (await file.write(left, 0, left.length, size + written)).bytesWritten;
    }
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}
