import { findExecutable, searchPath } from "../../base/processes/find-executable.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/** A program that compresses its standard input to its standard output. */
export interface Compressor {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * Fastest first (docs/decisions/0005-exports.md): igzip is ten times as fast as gzip -6 and its files are about 11 %
 * larger. The others are for machines without the package isal.
 */
const COMPRESSORS: Readonly<Record<"gzip" | "zstd", readonly (readonly [string, ...string[]])[]>> = {
  gzip: [
    ["igzip", "-1", "-c", "-"],
    ["pigz", "-1", "-c"],
    ["gzip", "-1", "-c"],
  ],
  zstd: [["zstd", "-3", "-T0", "-c", "-q"]],
};

/** The fastest installed compressor for a file name: zstd for `.zst`, otherwise gzip, which hosts expect. */
export async function compressorFor(
  fileName: string,
  folders: readonly string[] = searchPath,
): Promise<Compressor> {
  const format = fileName.endsWith(".zst") ? "zstd" : "gzip";
  for (const [name, ...args] of COMPRESSORS[format]) {
    const program = await findExecutable(name, folders);
    if (program) return { program, args };
  }
  throw new TremplinError(
    "failed",
    `no program for ${format} is installed: install the package ${format === "zstd" ? "zstd" : "isal"} and try again`,
  );
}
