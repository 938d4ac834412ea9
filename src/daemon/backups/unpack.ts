import type { FileHandle } from "node:fs/promises";
import { bytesOfFile } from "../../base/files/files.ts";
import { findExecutable } from "../../base/processes/find-executable.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { ArchiveFormat } from "./archive-format.ts";
import { sandboxed } from "./sandbox.ts";
import { Subprocess } from "./subprocess.ts";

/** The error if a decompressor fails, instead of the program's own message. */
export const DAMAGED_BACKUP = "the backup is damaged or truncated: cannot decompress all of it";

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
    throw new TremplinError("failed", DAMAGED_BACKUP, error);
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
  for await (const chunk of unpack(bytesOfFile(file), format, signal)) bytes += chunk.length;
  return bytes;
}

export type PackedFormat = Exclude<ArchiveFormat, "tar">;
export type Command = readonly [program: string, ...args: string[]];

/** Fastest first: igzip takes half of gzip's time for a root file system. */
const DECOMPRESSORS: Readonly<Record<PackedFormat, readonly [Command, ...Command[]]>> = {
  gzip: [
    ["igzip", "-dc"],
    ["pigz", "-dc"],
    ["gzip", "-dc"],
  ],
  zstd: [["zstd", "-dcq"]],
  // Its default use of memory grows with the number of processors, beyond the limit of sandboxed().
  xz: [["xz", "-dcq", "-T0", "--memlimit-mt-decompress=512MiB"]],
};

/** The fastest installed command that decompresses its input to its output. */
export async function findDecompressor(format: PackedFormat): Promise<Command> {
  for (const command of DECOMPRESSORS[format]) if (await findExecutable(command[0])) return command;
  const names = DECOMPRESSORS[format].map(([name]) => name).join(" or ");
  throw new TremplinError("failed", `the file is compressed with ${format}, and ${names} is not installed`);
}
