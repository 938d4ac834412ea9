import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { TremplinError } from "../../base/tremplin-error.ts";

/**
 * The lock of a file, which is made when missing. It counts between processes and within one, and lasts until it
 * is disposed and no child that was given `fd` lives any more; a kill ends it too.
 */
export interface FileLock extends AsyncDisposable {
  readonly fd: number;
}

/** Waits until nobody else has the lock. */
export async function lockFile(path: string, signal: AbortSignal): Promise<FileLock> {
  const lock = await flock(path, [], signal);
  if (lock) return lock;
  throw new TremplinError("failed", `cannot lock ${path}`);
}

/** Takes the lock, or resolves to undefined at once when somebody else has it. */
export async function tryLockFile(path: string, signal: AbortSignal): Promise<FileLock | undefined> {
  return await flock(path, ["--nonblock", "--conflict-exit-code", "75"], signal);
}

async function flock(path: string, options: string[], signal: AbortSignal): Promise<FileLock | undefined> {
  await using stack = new AsyncDisposableStack();
  const file = stack.use(await open(path, "a", 0o600));
  // Node has no flock(2). The lock belongs to the open file, not to the process that asks for it.
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
