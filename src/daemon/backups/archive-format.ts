import type { FileHandle } from "node:fs/promises";
import { TremplinError } from "../../base/tremplin-error.ts";

/** The compression of a tar archive; `tar`: none. */
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

/** Other formats that people mistake for backups. */
const OTHER_FORMATS: readonly (Magic & { readonly what: string })[] = [
  { offset: 0, bytes: Buffer.from("hsqs"), what: "a squashfs, which is one half of a split image" },
  { offset: 0, bytes: Buffer.from("BZh"), what: "compressed with bzip2" },
  { offset: 0, bytes: Buffer.from("PK"), what: "a zip file" },
];

const HEAD_BYTES = 262;

/** Detects the format from the first bytes, not from the file name. Throws `invalid` for any other format. */
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
    `the file is not a backup${what ? `: it is ${what}` : ""}; a backup is a tar archive, plain or compressed with gzip, zstd or xz`,
  );
}
