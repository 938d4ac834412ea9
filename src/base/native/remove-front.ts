import { libc } from "./raw-socket.ts";

const libcCalls = { fallocate: libc.func("int fallocate(int, int, int64_t, int64_t)") };
const FALLOC_FL_COLLAPSE_RANGE = 8;

/**
 * Removes the first bytes of a file in one step, while others append to it. A multiple of the size of a block, and less
 * than the whole. False where the file system cannot: ext4 and xfs can.
 */
export function removeFront(fd: number, bytes: number): boolean {
  return libcCalls.fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, bytes) === 0;
}
