import type { FileHandle } from "node:fs/promises";
import { findExecutable } from "../../base/processes/find-executable.ts";
import { bytesText } from "../../base/text.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { ArchiveFormat } from "./archive-format.ts";
import { bytesOfBackup } from "./bytes-of-backup.ts";
import { sandboxed } from "./sandbox.ts";
import { Subprocess } from "./subprocess.ts";

/** Decompresses an archive. Throws `failed` if it is truncated or its checksum does not match. */
export async function* unpack(
  packed: AsyncIterable<Buffer>,
  format: ArchiveFormat,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, void> {
  if (format === "tar") {
    yield* packed;
    return;
  }
  const decompressor = await findDecompressor(format);
  const { command, cwd } = sandboxed(decompressor);
  await using program = Subprocess.start(command, { cwd, signal }, decompressor[0]);
  const feeding = feed(packed, program);
  feeding.catch(() => undefined);
  yield* program.stdout;
  await feeding;
  await program.succeeded().catch((error) => {
    signal.throwIfAborted();
    throw decompressionError(format, error);
  });
}

/** Writes as much as the program accepts, and ends its input. */
async function feed(packed: AsyncIterable<Buffer>, program: Subprocess): Promise<void> {
  try {
    for await (const chunk of packed) if (!(await program.write(chunk))) return;
  } finally {
    program.end();
  }
}

/** The size of the uncompressed archive in bytes. Decompresses all of it. */
export async function countUnpacked(
  file: FileHandle,
  format: ArchiveFormat,
  signal: AbortSignal,
): Promise<number> {
  let bytes = 0;
  for await (const chunk of unpack(bytesOfBackup(file), format, signal)) bytes += chunk.length;
  return bytes;
}

/** Fits into the memory of sandboxed(). */
const MAX_WINDOW_BYTES = 768 * 1024 * 1024;

export type PackedFormat = Exclude<ArchiveFormat, "tar">;
export type Command = readonly [program: string, ...args: string[]];

/** Fastest first: igzip takes half of gzip's time for a root file system. */
const DECOMPRESSORS: Readonly<Record<PackedFormat, readonly [Command, ...Command[]]>> = {
  gzip: [
    ["igzip", "-dc"],
    ["pigz", "-dc"],
    ["gzip", "-dc"],
  ],
  zstd: [["zstd", "-dcq", `--memory=${MAX_WINDOW_BYTES}`]],
  // Its default use of memory grows with the number of processors, beyond the limit of sandboxed().
  xz: [["xz", "-dcq", "-T0", "--memlimit-mt-decompress=512MiB"]],
  bzip2: [["bzip2", "-dc"]],
  // Debian's zstd reads it too.
  lz4: [
    ["lz4", "-dc"],
    ["zstd", "-dcq"],
  ],
  lzma: [["xz", "-dcq", "--format=lzma"]],
};

/** Why a decompressor failed, instead of the program's own message. */
export function decompressionError(format: ArchiveFormat, error: TremplinError): TremplinError {
  const { message } = error;
  const window = /Window size larger than maximum : (\d+)/.exec(message)?.[1];
  if (window) {
    return tooMuchMemory(
      `a window of ${bytesText(Number(window))}`,
      "zstd -dc --long=31 OLD | zstd -T0 -o NEW",
      error,
    );
  }
  if (/not enough memory|Cannot allocate memory|Memory usage limit/.test(message)) {
    return tooMuchMemory(
      "a very large dictionary",
      `${format === "lzma" ? "xz" : format} -dc OLD | zstd -T0 -o NEW`,
      error,
    );
  }
  if (/was killed by SIGKILL/.test(message)) {
    const sentence =
      "the program that decompresses the backup was killed, perhaps for want of memory (see dmesg)";
    return new TremplinError("failed", `${sentence}; import it again`, error);
  }
  if (/^cannot run/.test(message)) return error;
  return new TremplinError(
    "failed",
    "the backup is damaged or truncated: cannot decompress all of it",
    error,
  );
}

function tooMuchMemory(what: string, repack: string, cause: unknown): TremplinError {
  const allowed = bytesText(MAX_WINDOW_BYTES);
  return new TremplinError(
    "failed",
    `the backup is packed with ${what}, and at most ${allowed} of memory are used for that; repack it, for example by \`${repack}\``,
    cause,
  );
}

/** The fastest installed command that decompresses its input to its output. */
export async function findDecompressor(format: PackedFormat): Promise<Command> {
  for (const command of DECOMPRESSORS[format]) if (await findExecutable(command[0])) return command;
  const names = DECOMPRESSORS[format].map(([name]) => name).join(" or ");
  throw new TremplinError(
    "failed",
    `the file is compressed with ${format}, and ${names} is not installed; install it and try again`,
  );
}
