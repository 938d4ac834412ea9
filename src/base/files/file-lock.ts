import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants, open } from "node:fs/promises";
import { TremplinError } from "../tremplin-error.ts";

const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;

/**
 * An exclusive lock on a file, which is created if it is missing. It excludes other processes and other callers in this
 * process, and lasts until it is disposed and all children that inherited `fd` have ended; a kill releases it too.
 * Whoever can open the file can take the lock, so the file belongs in a folder of one user (own-folder.ts).
 */
export interface FileLock extends AsyncDisposable {
  readonly fd: number;
}

/** Takes the lock; waits until it is free. */
export async function lockFile(path: string, signal: AbortSignal): Promise<FileLock> {
  const lock = await flock(path, [], signal);
  if (lock) return lock;
  throw new TremplinError("failed", `cannot lock ${path}`);
}

/** Takes the lock, or returns undefined if it is taken. */
export async function tryLockFile(path: string, signal: AbortSignal): Promise<FileLock | undefined> {
  return await flock(path, ["--nonblock", "--conflict-exit-code", "75"], signal);
}

/** Takes the lock at once. Throws `busy` with the given sentence if it is taken. */
export async function acquireLock(path: string, sentence: string): Promise<FileLock> {
  const lock = await tryLockFile(path, new AbortController().signal);
  if (lock) return lock;
  throw new TremplinError("busy", sentence);
}

async function flock(path: string, options: string[], signal: AbortSignal): Promise<FileLock | undefined> {
  await using stack = new AsyncDisposableStack();
  const file = stack.use(await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600));
  // Node has no flock(2). The lock belongs to the open file description, not to the program that takes it.
  const child = spawn("flock", ["--exclusive", ...options, "3"], {
    stdio: ["ignore", "ignore", "ignore", file.fd],
    signal,
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code === 75) return undefined;
  if (code !== 0) throw new TremplinError("failed", `cannot lock ${path}: flock ended with ${code}`);
  const held = stack.move();
  return { fd: file.fd, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
