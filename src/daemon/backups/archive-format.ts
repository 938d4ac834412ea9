import type { FileHandle } from "node:fs/promises";
import { TremplinError } from "../../base/tremplin-error.ts";

/** How a tar archive is packed; `tar` is not at all. */
export type ArchiveFormat = "gzip" | "zstd" | "xz" | "tar";

interface Magic {
  readonly offset: number;
  readonly bytes: Buffer;
}

const MAGICS: Readonly<Record<ArchiveFormat, Magic>> = {
  gzip: { offset: 0, bytes: Buffer.from([0x1f, 0x8b]) },
  zstd: { offset: 0, bytes: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]) },
  xz: { offset: 0, bytes: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) },
  tar: { offset: 257, bytes: Buffer.from("ustar") },
};

/** What people take for a backup, and what it is. */
const OTHER_FORMATS: readonly (Magic & { readonly what: string })[] = [
  { offset: 0, bytes: Buffer.from("hsqs"), what: "a squashfs, which is the half of an image in two files" },
  { offset: 0, bytes: Buffer.from("BZh"), what: "packed with bzip2" },
  { offset: 0, bytes: Buffer.from("PK"), what: "a zip file" },
];

const HEAD_BYTES = 262;

/** Recognises a backup by its first bytes, whatever its name. Throws `invalid` with what it is instead. */
export async function detectArchiveFormat(file: FileHandle): Promise<ArchiveFormat> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  const head = buffer.subarray(0, bytesRead);
  if (head.length === 0) throw new TremplinError("invalid", "the file is empty");
  const begins = ({ offset, bytes }: Magic): boolean =>
    head.subarray(offset, offset + bytes.length).equals(bytes);
  for (const [format, magic] of Object.entries(MAGICS)) if (begins(magic)) return format as ArchiveFormat;
  const what = OTHER_FORMATS.find(begins)?.what;
  throw new TremplinError(
    "invalid",
    `the file is no backup${what ? `: it is ${what}` : ""}; a backup is a tar archive, plain or packed with gzip, zstd or xz`,
  );
}
