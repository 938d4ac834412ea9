import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { constants, type FileHandle, open } from "node:fs/promises";
import { syncIfSupported } from "../../../base/files/sync.ts";
import type { Logger } from "../../../base/logger.ts";
import type { FileHead } from "./target-steps.ts";

/** Bytes. A shorter head may be that of another packed file too. */
const MIN_LENGTH = 1024;
const MAX_LENGTH = 64 * 1024;

/** The first bytes of packed files (gzip, zstd), and the length of the shortest whole one. */
const STUBS = [
  { magic: Buffer.from([0x1f, 0x8b]), minLength: 18 },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), minLength: 9 },
];

/** Waits for the head of a file that is being written. */
export interface HeadRecorder extends AsyncDisposable {
  /** Stops waiting. Resolves when the head that is being recorded is recorded. */
  stop(): Promise<void>;
}

/**
 * Calls `record` once a file that is being written has enough bytes to be recognised by, when they are on the disk.
 * Only logs a failure: then recovery cannot recognise the file and leaves it as it is.
 */
export function recordHead(
  file: FileHandle,
  record: (head: FileHead) => Promise<void>,
  log: Logger,
): HeadRecorder {
  const path = `/proc/self/fd/${file.fd}`;
  const failed = (error: unknown): void =>
    log.warn(
      { error },
      "the head of an unfinished backup is not recorded: after a crash the file is left as it is",
    );
  let recording: Promise<void> | undefined;
  let isRecorded = false;
  let watcher: FSWatcher | undefined;
  const read = async (): Promise<void> => {
    await using written = await open(path, constants.O_RDONLY);
    const { size } = await written.stat();
    if (size < MIN_LENGTH) return;
    isRecorded = true;
    watcher?.close();
    await syncIfSupported(written);
    await record(await headOf(written, Math.min(size, MAX_LENGTH)));
  };
  const onChange = (): void => {
    if (isRecorded) return;
    recording ??= read()
      .catch(failed)
      .finally(() => {
        recording = undefined;
      });
  };
  try {
    watcher = watch(path, onChange).on("error", failed);
  } catch (error) {
    // The machine's watches are used up, for example.
    failed(error);
  }
  const stop = async (): Promise<void> => {
    watcher?.close();
    await recording;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}

/** Whether a file starts with the recorded head, so that nobody else has written it. Without one: whether it is too short to be a backup. */
export async function startsWithHead(file: FileHandle, head: FileHead | undefined): Promise<boolean> {
  const { size } = await file.stat();
  if (head) {
    return size >= head.length && (await headOf(file, head.length)).sha256 === head.sha256;
  }
  const start = await firstBytes(file, 4);
  return STUBS.some(
    ({ magic, minLength }) => size < minLength && start.subarray(0, magic.length).equals(magic),
  );
}

async function headOf(file: FileHandle, length: number): Promise<FileHead> {
  const sha256 = createHash("sha256")
    .update(await firstBytes(file, length))
    .digest("hex");
  return { length, sha256 };
}

async function firstBytes(file: FileHandle, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
  return buffer.subarray(0, bytesRead);
}
