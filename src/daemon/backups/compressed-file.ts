import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { syncIfSupported } from "../../base/files/sync.ts";
import type { Compressor } from "./compressor.ts";
import type { ExportMeter } from "./export-meter.ts";
import { isBrokenPipe, Subprocess } from "./subprocess.ts";
import { explainWriteError } from "./write-error.ts";

/**
 * Compresses a stream into a file. `fill` writes to the compressor's input, and has ended the input when it resolves.
 * The compressor writes the file itself. Resolves once the file is synced to disk, with whether its file system can do
 * that.
 */
export async function compressInto(
  file: FileHandle,
  compressor: Compressor,
  meter: ExportMeter,
  signal: AbortSignal,
  fill: (packing: Subprocess, signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  const broken = new AbortController();
  const either = AbortSignal.any([signal, broken.signal]);
  const command = [compressor.program, ...compressor.args] as const;
  await using packing = Subprocess.start(command, { signal: either, output: file.fd });
  meter.watch(packing.pid, file.fd);
  const stop = (error: unknown): never => {
    // After a broken pipe the compressor has ended by itself: aborting would hide its reason.
    if (!isBrokenPipe(error)) broken.abort(error);
    throw error;
  };
  const ends = await Promise.allSettled([packing.succeeded().catch(stop), fill(packing, either).catch(stop)]);
  meter.unwatch();
  signal.throwIfAborted();
  // The compressor's error first: if it fails, its writer only gets a broken pipe.
  const [compressed, filled] = ends;
  if (compressed.status === "rejected") throw await explainWriteError(file, compressed.reason);
  if (filled.status === "rejected") throw filled.reason;
  const isSynced = await syncIfSupported(file).catch(async (error) => {
    throw await explainWriteError(file, error);
  });
  meter.finish();
  return isSynced;
}

/** The SHA-256 of a file in hex: the engines' fingerprint of an image. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
