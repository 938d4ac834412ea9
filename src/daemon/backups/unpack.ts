import type { FileHandle } from "node:fs/promises";
import { bytesOfFile } from "../../base/bytes-of-file.ts";
import type { ArchiveFormat } from "./archive-format.ts";
import { ConfinedProgram } from "./confined-program.ts";
import { decompressor } from "./decompressor.ts";

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
  await using program = new ConfinedProgram(await decompressor(format), { signal });
  const feeding = feed(packed, program);
  feeding.catch(() => undefined);
  yield* program.output;
  await feeding;
  await program.succeeded();
}

/** Writes all of it, or as much as the program wants, and ends the program's input. */
async function feed(packed: AsyncIterable<Buffer>, program: ConfinedProgram): Promise<void> {
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
