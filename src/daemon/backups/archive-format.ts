import type { FileHandle } from "node:fs/promises";
import { TremplinError } from "../../base/tremplin-error.ts";
import { isTarHeader } from "./tar-header.ts";
import { zstdWindowSize } from "./zstd-frame.ts";

/** The compression of a tar archive; `tar`: none. */
export type ArchiveFormat = "gzip" | "zstd" | "xz" | "bzip2" | "lz4" | "lzma" | "tar";

const MAGICS: readonly (readonly [format: ArchiveFormat, magic: Buffer])[] = [
  ["gzip", Buffer.from([0x1f, 0x8b])],
  ["zstd", Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ["xz", Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ["bzip2", Buffer.from("BZh")],
  ["lz4", Buffer.from([0x04, 0x22, 0x4d, 0x18])],
  ["lz4", Buffer.from([0x02, 0x21, 0x4c, 0x18])],
  ["lzma", Buffer.from([0x5d, 0x00, 0x00])],
];

/** Other formats that people mistake for backups. */
const OTHER_FORMATS: readonly (readonly [magic: string, what: string])[] = [
  ["hsqs", "a squashfs, which is one half of a split image, or an image that was packed with squashfs"],
  ["PK", "a zip file"],
  ["7z\xbc\xaf\x27\x1c", "a 7z file"],
  ["Rar!", "a rar file"],
  ["LZIP", "compressed with lzip"],
  ["\x89LZO", "compressed with lzop"],
  ["\x1f\x9d", "compressed with compress"],
  ["QFI\xfb", "the disk of a virtual machine"],
  ["btrfs-stream", "a stream of btrfs"],
  ["age-encryption.org", "encrypted with age"],
  ["-----BEGIN PGP", "encrypted with PGP"],
  ["Salted__", "encrypted with OpenSSL"],
];

/** So many bytes, or all of a shorter file, show the format. */
export const HEAD_BYTES = 512;
/** A zstd or lz4 file may begin with frames to be skipped, as pzstd's do: 50 to 5f, these bytes, and a length. */
const SKIPPABLE_TAIL = Buffer.from([0x2a, 0x4d, 0x18]);
const MAX_SKIPPED_FRAMES = 1000;
/** The window that zstd accepts by default. Bytes. */
const MAX_ENGINE_WINDOW = 128 * 1024 * 1024;

/** Detects the format from the first bytes, not from the file name. Throws `invalid` for any other format. */
export async function detectArchiveFormat(file: FileHandle): Promise<ArchiveFormat> {
  let offset = 0;
  let head = await headAt(file, 0);
  if (head.length === 0) throw isEmpty();
  for (let skipped = 0; isSkippable(head) && skipped < MAX_SKIPPED_FRAMES; skipped++) {
    offset += 8 + head.readUInt32LE(4);
    head = await headAt(file, offset);
  }
  const format = formatOf(head);
  if (format) return format;
  throw notABackup(head);
}

/** Throws `invalid` where a file that begins with these bytes is no backup. */
export function checkHead(head: Buffer): void {
  if (head.length === 0) throw isEmpty();
  if (!isSkippable(head) && !formatOf(head)) throw notABackup(head);
}

function isEmpty(): TremplinError {
  return new TremplinError("invalid", "the file is empty");
}

function notABackup(head: Buffer): TremplinError {
  const what = describeOther(head);
  return new TremplinError(
    "invalid",
    `the file is not a backup${what ? `: it is ${what}` : ""}; a backup is a tar archive, plain or compressed with gzip, zstd, xz, bzip2 or lz4`,
  );
}

/** Whether engines read the file as it is. All others are sent to them uncompressed. */
export async function isReadByEngines(file: FileHandle, format: ArchiveFormat): Promise<boolean> {
  const head = await headAt(file, 0);
  if (format === "zstd") return formatOf(head) === "zstd" && zstdWindowSize(head) <= MAX_ENGINE_WINDOW;
  return format === "gzip" || format === "xz" || format === "tar";
}

/** The format of content that begins with these bytes; undefined for one that is no archive. */
export function formatOf(head: Buffer): ArchiveFormat | undefined {
  const found = MAGICS.find(([, magic]) => head.subarray(0, magic.length).equals(magic));
  return found?.[0] ?? (isTarHeader(head) || isLikelyTar(head) ? "tar" : undefined);
}

/** What the content is instead of a backup, for people; undefined where that is unknown. */
export function describeOther(head: Buffer): string | undefined {
  if (head.length > 0 && head.every((byte) => byte === 0))
    return "full of zeros, so it was not written to its end";
  const text = head.toString("latin1");
  return OTHER_FORMATS.find(([magic]) => text.startsWith(magic))?.[1];
}

/** Whether it has the magic of a tar archive, although its header may be damaged. Old archives have none. */
function isLikelyTar(head: Buffer): boolean {
  return head.toString("latin1", 257, 262) === "ustar";
}

function isSkippable(head: Buffer): boolean {
  return (
    head.length >= 8 && (head.readUInt8(0) & 0xf0) === 0x50 && head.subarray(1, 4).equals(SKIPPABLE_TAIL)
  );
}

async function headAt(file: FileHandle, position: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, position);
  return buffer.subarray(0, bytesRead);
}
