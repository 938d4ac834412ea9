import { findExecutable, searchPath } from "../../base/processes/find-executable.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/** A program that packs its standard input to its standard output. */
export interface Compressor {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * By the ending of the file, the fastest first (numbers.md): igzip packs ten times as fast as gzip -6, for a
 * file that is 7 % larger; the others are for machines without the package isal.
 */
const COMPRESSORS: Readonly<Record<"gzip" | "zstd", readonly (readonly [string, ...string[]])[]>> = {
  gzip: [
    ["igzip", "-1", "-c", "-"],
    ["pigz", "-1", "-c"],
    ["gzip", "-1", "-c"],
  ],
  zstd: [["zstd", "-3", "-T0", "-c", "-q"]],
};

/** The compressor for a file of that name: `.zst` gets zstd, everything else the gzip that hosts expect. */
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
    `no program packs as ${format} here: install the package ${format === "zstd" ? "zstd" : "isal"} and try again`,
  );
}
