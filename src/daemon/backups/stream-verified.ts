import type { FileHandle } from "node:fs/promises";
import { bytesOfFile } from "../../base/files/files.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { ArchiveCheck } from "./archive-check.ts";
import type { ArchiveFormat } from "./archive-format.ts";
import type { Home } from "./confined.ts";
import { decompressor } from "./decompressor.ts";
import type { MemberRules } from "./member-rules.ts";
import { DAMAGED, unpack } from "./unpack.ts";

export interface VerifiedStream {
  readonly format: ArchiveFormat;
  /** Whether what is passed on is the plain archive, or the file as it is. */
  readonly unpacked: boolean;
  readonly rules: MemberRules;
  /** See ArchiveCheck. */
  readonly home?: Home;
  /** Called with the bytes of the plain archive so far. What it throws ends the passing on. */
  readonly onPlain: (bytes: number) => void;
  /** Called with the bytes of the file so far. */
  readonly onPacked: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Passes a backup on while it is looked through, and ends only when all of it is known to be good: before the last
 * byte, a damaged or hostile one throws.
 */
export async function* streamVerified(
  file: FileHandle,
  options: VerifiedStream,
): AsyncGenerator<Buffer, void, void> {
  const { format, unpacked, rules, home, signal } = options;
  const packed = counted(bytesOfFile(file), options.onPacked);
  await using check = new ArchiveCheck(rules, signal, home);
  const checked = async function* (plain: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
    for await (const chunk of counted(plain, options.onPlain)) {
      await check.write(chunk);
      yield chunk;
    }
    await check.finish();
  };
  if (unpacked || format === "tar") yield* checked(unpack(packed, format, signal));
  else yield* beside(packed, await decompressor(format), check, options);
}

/** Yields the packed bytes while what they unpack to goes another way, which is through before this ends. */
async function* beside(
  packed: AsyncIterable<Buffer>,
  unpacker: readonly [program: string, ...args: string[]],
  check: ArchiveCheck,
  { onPlain, signal }: VerifiedStream,
): AsyncGenerator<Buffer, void, void> {
  await using program = check.feedFrom(unpacker, signal);
  for await (const chunk of packed) {
    await program.write(chunk);
    await check.approve();
    onPlain(check.bytes);
    yield chunk;
  }
  program.end();
  await program.succeeded().catch(async (error) => {
    // What was refused is not read to its end, of which its unpacker dies.
    await check.approve();
    throw new TremplinError("failed", DAMAGED, error);
  });
  onPlain(check.bytes);
  await check.finish();
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  tell: (bytes: number) => void,
): AsyncGenerator<Buffer, void, void> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    tell(bytes);
    yield chunk;
  }
}
