import { constants, ftruncateSync, readSync, writeSync } from "node:fs";
import { type FileHandle, open, rename, rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../async/clock.ts";
import { LogLimit } from "../log-limit.ts";
import type { Logger } from "../logger.ts";
import { loadNative } from "../native/load-native.ts";
import { syncFolder } from "./files.ts";

const { O_RDWR, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/** The size from which on a log is rotated, where nothing else is said. Bytes. */
export const LOG_BYTES = 8 * 1024 * 1024;
const CHECK_INTERVAL_MS = 2_000;
const COMPLAINT_INTERVAL_MS = 3_600_000;
/** Of a log that grows too fast, so many times its size are kept. */
const MAX_EXCESS = 2;
const CHUNK_BYTES = 256 * 1024;

export interface RotatedLog {
  readonly path: string;
  /** Default: LOG_BYTES. */
  readonly maxBytes?: number;
}

/**
 * Rotates logs while programs append to them, which need not know: a log that is too large is copied to `PATH.1`, in
 * place of the one that was there, and what was copied is removed from the log. Ends with the signal.
 */
export async function rotateLogs(
  logs: readonly RotatedLog[],
  { clock, log, signal }: { clock: Clock; log: Logger; signal: AbortSignal },
): Promise<void> {
  const limit = new LogLimit(clock, { lines: 1, periodMs: COMPLAINT_INTERVAL_MS });
  while (!signal.aborted) {
    for (const { path, maxBytes = LOG_BYTES } of logs) {
      await rotateLog(path, maxBytes).catch((error) => {
        const admitted = limit.admit(path);
        if (admitted) log.warn({ error, path, ...admitted }, "a log cannot be rotated; retrying");
      });
    }
    await clock.sleep(CHECK_INTERVAL_MS, signal).catch(() => undefined);
  }
}

/** The same until it is disposed of. */
export function rotatingLogs(paths: readonly string[], clock: Clock, log: Logger): Disposable {
  const ended = new AbortController();
  const logs = paths.map((path) => ({ path }));
  void rotateLogs(logs, { clock, log, signal: ended.signal });
  return { [Symbol.dispose]: () => ended.abort() };
}

/**
 * Rotates a log if it is too large. A kill at any instant loses nothing of it; then some of it may be in both files. Where
 * the file system cannot remove the front of a file, a line that another process appends within the same microseconds
 * can be lost; one of this process cannot. Does nothing where there is no log, or what is there is no file.
 */
export async function rotateLog(path: string, maxBytes: number): Promise<boolean> {
  const source = await open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK).catch((error) => {
    if (["ENOENT", "ENXIO"].includes(error.code)) return undefined;
    throw error;
  });
  if (!source) return false;
  await using _source = source;
  const stat = await source.stat();
  if (!stat.isFile() || stat.size <= maxBytes) return false;
  const end = await wholeBlocks(path, stat.size);
  const fresh = `${path}.1.new`;
  await rm(fresh, { force: true });
  await using copy = await open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  await copyRange(source, copy, Math.max(0, end - MAX_EXCESS * maxBytes), end);
  await copy.sync();
  await rename(fresh, `${path}.1`);
  await syncFolder(dirname(path));
  if (!(await removeFrontOf(source, end))) moveRest(source.fd, copy.fd, end);
  return true;
}

/** The largest number of bytes below the size of a file that makes whole blocks. */
async function wholeBlocks(path: string, size: number): Promise<number> {
  const { bsize } = await statfs(path);
  return Math.floor((size - 1) / bsize) * bsize;
}

async function copyRange(from: FileHandle, to: FileHandle, start: number, end: number): Promise<void> {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  for (let at = start; at < end; ) {
    const { bytesRead } = await from.read(buffer, 0, Math.min(buffer.length, end - at), at);
    if (bytesRead === 0) return;
    await to.appendFile(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

async function removeFrontOf({ fd }: FileHandle, bytes: number): Promise<boolean> {
  const native = await loadNative(() => import("../native/remove-front.ts")).catch(() => undefined);
  return native?.removeFront(fd, bytes) ?? false;
}

/** Copies what has come since, and empties the log. Nothing else of this process runs in between. */
function moveRest(from: number, to: number, start: number): void {
  const buffer = Buffer.alloc(CHUNK_BYTES);
  for (let at = start; ; ) {
    const bytes = readSync(from, buffer, 0, buffer.length, at);
    if (bytes === 0) break;
    // On a disk that is nearly full a write may be short.
    for (let written = 0; written < bytes; ) written += writeSync(to, buffer, written, bytes - written);
    at += bytes;
  }
  ftruncateSync(from);
}
