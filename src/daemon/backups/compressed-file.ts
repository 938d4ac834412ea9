import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, statfs } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Compressor } from "./compressor.ts";
import type { ExportMeter } from "./export-meter.ts";
import { Subprocess } from "./subprocess.ts";

/** A disk with less than this is full for us: the program that could not write does not say why. Bytes. */
const MIN_FREE_BYTES = 1024 * 1024;

/**
 * Packs a stream into a file: `fill` writes it to the compressor's input, and has ended it when it resolves. The
 * compressor writes the file itself. When this resolves all of it is on the disk.
 */
export async function compressInto(
  file: FileHandle,
  compressor: Compressor,
  meter: ExportMeter,
  signal: AbortSignal,
  fill: (packing: Subprocess, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const broken = new AbortController();
  const either = AbortSignal.any([signal, broken.signal]);
  const command = [compressor.program, ...compressor.args] as const;
  await using packing = Subprocess.start(command, { signal: either, output: file.fd });
  meter.watch(packing.pid, file.fd);
  const stop = (error: unknown): never => {
    broken.abort(error);
    throw error;
  };
  const ends = await Promise.allSettled([packing.succeeded().catch(stop), fill(packing, either).catch(stop)]);
  meter.unwatch();
  signal.throwIfAborted();
  // The compressor first: when it fails, whoever writes to it only hears that nobody reads.
  const [packed, filled] = ends;
  if (packed.status === "rejected") throw await explainWriteError(file, packed.reason);
  if (filled.status === "rejected") throw filled.reason;
  await file.sync().catch(async (error) => {
    throw await explainWriteError(file, error);
  });
  meter.finish();
}

/** The SHA-256 of a file, which engines call the fingerprint of an image. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function explainWriteError(file: FileHandle, error: unknown): Promise<unknown> {
  const { bavail, bsize } = await statfs(`/proc/self/fd/${file.fd}`);
  if (bavail * bsize >= MIN_FREE_BYTES) return error;
  return new TremplinError(
    "failed",
    "there is no room left where the backup is written; make room, or export to another place",
    error,
  );
}
