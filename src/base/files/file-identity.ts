import type { BigIntStats } from "node:fs";
import * as z from "zod";

/**
 * Which file it was, and in which state: as text, so that it can be written down. Numbers of devices are not part of
 * it, because they may change when the machine boots again.
 */
export type FileIdentity = z.infer<typeof fileIdentitySchema>;

export const fileIdentitySchema = z.object({
  ino: z.string(),
  /** Nanoseconds since 1970; "0" where the file system does not know. */
  born: z.string(),
  /** Bytes. */
  size: z.string(),
  /** The last change of its content, in nanoseconds since 1970. */
  written: z.string(),
});

export function identityOf({ ino, birthtimeNs, size, mtimeNs }: BigIntStats): FileIdentity {
  return { ino: `${ino}`, born: `${birthtimeNs}`, size: `${size}`, written: `${mtimeNs}` };
}

/**
 * Whether it is surely the same file, whatever its content is now. The number of an inode does not tell alone: file
 * systems give the number of a deleted file to the next one.
 */
export function isSameFile(one: FileIdentity, other: FileIdentity): boolean {
  return one.ino === other.ino && one.born === other.born && one.born !== "0";
}

/** Whether it is the same file with the same content, as far as that shows from outside. */
export function isUntouched(one: FileIdentity, other: FileIdentity): boolean {
  return one.ino === other.ino && one.size === other.size && one.written === other.written;
}
