import type { FileHandle } from "node:fs/promises";
import { runProgram } from "../../base/processes/run-program.ts";
import type { ArchiveFormat } from "./archive-format.ts";
import { ZSTD_HEAD_BYTES, zstdContentSize } from "./zstd-frame.ts";

/** More than any root file system of a container reaches. */
const MAX_COMPRESSION_RATIO = 20;
const FOUR_GIB = 2 ** 32;

/**
 * Estimates the uncompressed size of an archive in bytes without decompressing it; too high rather than too low. The
 * size in the file itself can be wrong, also without malice (gzip counts modulo 4 GiB, and only its last member).
 */
export async function estimateUnpackedSize(file: FileHandle, format: ArchiveFormat): Promise<number> {
  const { size } = await file.stat();
  switch (format) {
    case "tar":
      return size;
    case "gzip":
      return estimateGzipSize(size, (await bytesAt(file, size - 4, 4)).readUInt32LE());
    case "zstd":
      return zstdContentSize(await bytesAt(file, 0, ZSTD_HEAD_BYTES)) ?? size * MAX_COMPRESSION_RATIO;
    case "xz":
      return (await xzSize(file)) ?? size * MAX_COMPRESSION_RATIO;
    case "bzip2":
    case "lz4":
    case "lzma":
      return size * MAX_COMPRESSION_RATIO;
  }
}

/** The largest plausible size with these low 32 bits for that many compressed bytes. */
export function estimateGzipSize(packed: number, lowBits: number): number {
  const rounds = Math.max(0, Math.floor((packed * MAX_COMPRESSION_RATIO - lowBits) / FOUR_GIB));
  return Math.max(packed, lowBits + rounds * FOUR_GIB);
}

/** The size in the index at the end of an xz file. */
async function xzSize(file: FileHandle): Promise<number | undefined> {
  const path = `/proc/${process.pid}/fd/${file.fd}`;
  const list = runProgram("xz", ["--robot", "--list", path], { timeoutMs: 10_000 });
  const totals = (await list.catch(() => "")).split("\n").find((line) => line.startsWith("totals\t"));
  return totals ? Number(totals.split("\t")[4]) : undefined;
}

/** Bytes of a file, padded with zeros. */
async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  await file.read(buffer, 0, length, Math.max(0, position));
  return buffer;
}
