/*
 * The header of a zstd frame (RFC 8878, 3.1.1.1).
 */

/** The longest header, with its magic number. */
export const ZSTD_HEAD_BYTES = 18;
const MAGIC = 0xfd2fb528;
const WINDOW_LOG_MIN = 10;

/** The size of its content in bytes; undefined if the header does not have it. */
export function zstdContentSize(head: Buffer): number | undefined {
  if (head.length < ZSTD_HEAD_BYTES || head.readUInt32LE(0) !== MAGIC) return undefined;
  const descriptor = head.readUInt8(4);
  const hasWindow = (descriptor & 0x20) === 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const at = 5 + (hasWindow ? 1 : 0) + dictionary;
  switch (descriptor >> 6) {
    case 0:
      return hasWindow ? undefined : head.readUInt8(at);
    case 1:
      return head.readUInt16LE(at) + 256;
    case 2:
      return head.readUInt32LE(at);
    default:
      return Number(head.readBigUInt64LE(at));
  }
}

/** The window in bytes that a decompressor must keep in memory; 0 for what is no such header. */
export function zstdWindowSize(head: Buffer): number {
  if (head.length < ZSTD_HEAD_BYTES || head.readUInt32LE(0) !== MAGIC) return 0;
  const isSingleSegment = (head.readUInt8(4) & 0x20) !== 0;
  if (isSingleSegment) return zstdContentSize(head) ?? 0;
  const window = head.readUInt8(5);
  const base = 2 ** (WINDOW_LOG_MIN + (window >> 3));
  return base + (base / 8) * (window & 7);
}
