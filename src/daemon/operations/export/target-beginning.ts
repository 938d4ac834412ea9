import { createHash } from "node:crypto";
import { watch } from "node:fs";
import { constants, type FileHandle, open } from "node:fs/promises";
import type { Logger } from "../../../base/logger.ts";
import type { BeginningNote } from "./target-notes.ts";

/** Fewer bytes of a packed file may be those of another one. */
const FEWEST = 1024;
const MOST = 64 * 1024;

/** What packed files begin with (gzip, zstd), and fewer bytes than any whole one has. */
const STUBS = [
  { magic: Buffer.from([0x1f, 0x8b]), fewest: 18 },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), fewest: 9 },
];

/** Notes once how a file that is being written begins. */
export interface NotingBeginning extends AsyncDisposable {
  /** Resolves when no note is being made; none is begun after it. */
  stop(): Promise<void>;
}

/**
 * Has `note` called as soon as a file that is being written has enough bytes to be known by; they are on the disk
 * then. What goes wrong is logged: then nobody knows the file later, and it is left as it is.
 */
export function noteBeginning(
  file: FileHandle,
  note: (beginning: BeginningNote) => Promise<void>,
  log: Logger,
): NotingBeginning {
  const path = `/proc/self/fd/${file.fd}`;
  const failed = (error: unknown): void =>
    log.warn({ error }, "how an unfinished backup begins is not noted: after a crash it is left as it is");
  let noting: Promise<void> | undefined;
  let isNoted = false;
  const look = async (): Promise<void> => {
    await using written = await open(path, constants.O_RDONLY);
    const { size } = await written.stat();
    if (size < FEWEST) return;
    isNoted = true;
    watcher.close();
    await written.datasync();
    await note(await beginningOf(written, Math.min(size, MOST)));
  };
  const watcher = watch(path, () => {
    if (isNoted) return;
    noting ??= look()
      .catch(failed)
      .finally(() => {
        noting = undefined;
      });
  });
  watcher.on("error", failed);
  const stop = async (): Promise<void> => {
    watcher.close();
    await noting;
  };
  return { stop, [Symbol.asyncDispose]: stop };
}

/** Whether a file begins as noted, so that nobody else has written it. Without a note: whether it is too short to be anything. */
export async function beginsAsNoted(file: FileHandle, noted: BeginningNote | undefined): Promise<boolean> {
  const { size } = await file.stat();
  if (noted) {
    return size >= noted.length && (await beginningOf(file, noted.length)).sha256 === noted.sha256;
  }
  const start = await firstBytes(file, 4);
  return STUBS.some(({ magic, fewest }) => size < fewest && start.subarray(0, magic.length).equals(magic));
}

async function beginningOf(file: FileHandle, length: number): Promise<BeginningNote> {
  const sha256 = createHash("sha256")
    .update(await firstBytes(file, length))
    .digest("hex");
  return { length, sha256 };
}

async function firstBytes(file: FileHandle, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
  return buffer.subarray(0, bytesRead);
}
