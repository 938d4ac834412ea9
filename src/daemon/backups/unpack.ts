import type { FileHandle } from "node:fs/promises";
import { bytesOfFile } from "../../base/files/bytes-of-file.ts";
import { findExecutable } from "../../base/processes/find-executable.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { ArchiveFormat } from "./archive-format.ts";
import { sandboxed } from "./sandbox.ts";
import { Subprocess } from "./subprocess.ts";

/** Why a backup cannot be used whose unpacker gives up: what that says itself means nothing to a person. */
export const DAMAGED_BACKUP = "the backup is damaged or cut short: it cannot be unpacked to its end";

/** The plain archive of a packed one. Throws `failed` when it is cut short or its checksum is not its content's. */
export async function* unpack(
  packed: AsyncIterable<Buffer>,
  format: ArchiveFormat,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, void> {
  if (format === "tar") {
    yield* packed;
    return;
  }
  const command = await findDecompressor(format);
  const { words, cwd } = sandboxed(command);
  await using program = Subprocess.start(words, { cwd, signal }, command[0]);
  const feeding = feed(packed, program);
  feeding.catch(() => undefined);
  yield* program.stdout;
  await feeding;
  await program.succeeded().catch((error) => {
    signal.throwIfAborted();
    throw new TremplinError("failed", DAMAGED_BACKUP, error);
  });
}

/** Writes all of it, or as much as the program wants, and ends the program's input. */
async function feed(packed: AsyncIterable<Buffer>, program: Subprocess): Promise<void> {
  try {
    for await (const chunk of packed) if (!(await program.write(chunk))) return;
  } finally {
    program.end();
  }
}

/** How many bytes the plain archive has: unpacks all of it. */
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

/** The fastest first: igzip unpacks a root file system in half of the time of gzip. */
const DECOMPRESSORS: Readonly<Record<PackedFormat, readonly [Command, ...Command[]]>> = {
  gzip: [
    ["igzip", "-dc"],
    ["pigz", "-dc"],
    ["gzip", "-dc"],
  ],
  zstd: [["zstd", "-dcq"]],
  // Without a bound of its own it fails at ours when the machine has many processors.
  xz: [["xz", "-dcq", "-T0", "--memlimit-mt-decompress=512MiB"]],
};

/** The command that unpacks its input to its output: of those that are installed the fastest. */
export async function findDecompressor(format: PackedFormat): Promise<Command> {
  for (const command of DECOMPRESSORS[format]) if (await findExecutable(command[0])) return command;
  const names = DECOMPRESSORS[format].map(([name]) => name).join(" or ");
  throw new TremplinError("failed", `the file is packed with ${format}, and ${names} is not installed`);
}
