import type { FileHandle } from "node:fs/promises";
import { ArchiveCheck } from "./archive-check.ts";
import type { ArchiveFormat } from "./archive-format.ts";
import { bytesOfBackup } from "./bytes-of-backup.ts";
import type { MemberRules } from "./member-rules.ts";
import type { UnpackTarget } from "./sandbox.ts";
import { decompressionError, findDecompressor, unpack } from "./unpack.ts";

export interface VerifiedStream {
  readonly format: ArchiveFormat;
  /** Whether the uncompressed archive is yielded, not the file as it is. */
  readonly isDecompressed: boolean;
  readonly rules: MemberRules;
  /** See ArchiveCheck. */
  readonly target?: UnpackTarget;
  /** Called with the bytes of the uncompressed archive so far. An exception ends the stream. */
  readonly onPlain: (bytes: number) => void;
  /** Called with the bytes of the file so far. */
  readonly onPacked: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/**
 * Streams a backup while it is checked. A damaged or hostile backup throws before the stream ends, so that a consumer
 * never takes it for complete.
 */
export async function* streamVerified(
  file: FileHandle,
  options: VerifiedStream,
): AsyncGenerator<Buffer, void, void> {
  const { format, isDecompressed, rules, target, signal } = options;
  const packed = countBytes(bytesOfBackup(file), options.onPacked);
  await using check = new ArchiveCheck(rules, signal, target);
  const checked = async function* (plain: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
    for await (const chunk of countBytes(plain, options.onPlain)) {
      await check.write(chunk);
      yield chunk;
    }
    await check.finish();
  };
  if (isDecompressed || format === "tar") yield* checked(unpack(packed, format, signal));
  else yield* verifyAlongside(packed, await findDecompressor(format), check, options);
}

/** Yields the compressed bytes while a program decompresses them for the check. */
async function* verifyAlongside(
  packed: AsyncIterable<Buffer>,
  decompressor: readonly [program: string, ...args: string[]],
  check: ArchiveCheck,
  { format, onPlain, signal }: VerifiedStream,
): AsyncGenerator<Buffer, void, void> {
  await using program = check.feedFrom(decompressor, signal);
  for await (const chunk of packed) {
    await program.write(chunk);
    await check.throwIfRejected();
    onPlain(check.bytes);
    yield chunk;
  }
  program.end();
  await program.succeeded().catch(async (error) => {
    // A rejected archive is not read to its end, which breaks the decompressor's pipe.
    await check.throwIfRejected();
    signal.throwIfAborted();
    throw decompressionError(format, error);
  });
  onPlain(check.bytes);
  await check.finish();
}

async function* countBytes(
  chunks: AsyncIterable<Buffer>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Buffer, void, void> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    onBytes(bytes);
    yield chunk;
  }
}
