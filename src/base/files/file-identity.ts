import type { BigIntStats } from "node:fs";
import * as z from "zod";

/**
 * Identifies a file and the state of its content, in a form for JSON. Device numbers are not part of it, because they
 * may change at the next boot.
 */
export type FileIdentity = z.infer<typeof fileIdentitySchema>;

export const fileIdentitySchema = z.object({
  ino: z.string(),
  /** Nanoseconds since 1970; "0" where the file system does not record it. */
  born: z.string(),
  /** Bytes. */
  size: z.string(),
  /** Nanoseconds since 1970 at the last change of its content. */
  written: z.string(),
});

export function identityOf({ ino, birthtimeNs, size, mtimeNs }: BigIntStats): FileIdentity {
  return { ino: `${ino}`, born: `${birthtimeNs}`, size: `${size}`, written: `${mtimeNs}` };
}

/**
 * Whether it is certainly the same file, whatever its content. The inode number alone does not prove it: file systems
 * reuse the numbers of deleted files.
 */
export function isSameFile(one: FileIdentity, other: FileIdentity): boolean {
  return one.ino === other.ino && one.born === other.born && one.born !== "0";
}

/** Whether it is the same file with the same content, judged by size and time of modification. */
export function isUntouched(one: FileIdentity, other: FileIdentity): boolean {
  return one.ino === other.ino && one.size === other.size && one.written === other.written;
}
