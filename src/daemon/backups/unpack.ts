import type { FileHandle } from "node:fs/promises";
import { bytesOfFile } from "../../base/files/files.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { ArchiveFormat } from "./archive-format.ts";
import { confined } from "./confined.ts";
import { decompressor } from "./decompressor.ts";
import { Subprocess } from "./subprocess.ts";

/** Why a backup cannot be used whose unpacker gives up: what that says itself means nothing to a person. */
export const DAMAGED = "the backup is damaged or cut short: it cannot be unpacked to its end";

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
  const command = await decompressor(format);
  const { words, cwd } = confined(command);
  await using program = Subprocess.start(words, { cwd, signal }, command[0]);
  const feeding = feed(packed, program);
  feeding.catch(() => undefined);
  yield* program.stdout;
  await feeding;
  await program.succeeded().catch((error) => {
    signal.throwIfAborted();
    throw new TremplinError("failed", DAMAGED, error);
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
