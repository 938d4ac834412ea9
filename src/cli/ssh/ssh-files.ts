import { randomBytes } from "node:crypto";
import { lstat, mkdir, readFile, realpath, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { lockFile } from "../../base/files/file-lock.ts";
import { canAccess, ignoreMissing, replaceFile, textOfFile } from "../../base/files/files.ts";
import { runProgram } from "../../base/processes/run-program.ts";
import { systemErrorSentence } from "../../base/system-error.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { PersonsHome } from "./person.ts";
import { withHostKeys } from "./server-script.ts";
import { includeLine, withInclude } from "./ssh-config-text.ts";

const LOCK_TIMEOUT_MS = 10_000;

/** What ssh needs to reach containers, in a folder of the person's own. */
export interface SshFiles {
  readonly folder: string;
  readonly key: string;
  readonly knownHosts: string;
  readonly config: string;
}

export function sshFiles({ config }: Pick<PersonsHome, "config">): SshFiles {
  const folder = join(config, "tremplin", "ssh");
  return {
    folder,
    key: join(folder, "key"),
    knownHosts: join(folder, "known_hosts"),
    config: join(folder, "config"),
  };
}

/** Makes the key, unless it is there. */
export async function makeKey({ folder, key }: SshFiles): Promise<void> {
  await asSentence(async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if ((await canAccess(key)) && (await canAccess(`${key}.pub`))) return;
    const args = ["-q", "-t", "ed25519", "-N", "", "-C", "tremplin", "-f", key];
    await runProgram("ssh-keygen", args, { timeoutMs: 30_000 }).catch((error) => {
      const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
      const why = isMissing ? "apt-get install openssh-client brings ssh" : errorMessage(error);
      throw new TremplinError("failed", `no key can be made in ${folder}: ${why}`, error);
    });
  });
}

/** Writes our own file, which nobody else changes. */
export async function writeConfig({ config }: SshFiles, text: string): Promise<void> {
  await asSentence(() => replaceFile(config, text));
}

/**
 * Makes ssh read our file. The person's own file keeps its mode, its place behind a link, and every byte that it had. False
 * if it reads ours already.
 */
export async function addInclude({ home }: PersonsHome, files: SshFiles): Promise<boolean> {
  return await asSentence(async () => {
    const named = join(home, ".ssh", "config");
    await mkdir(dirname(named), { recursive: true, mode: 0o700 });
    const path = await realpath(named).catch(() => named);
    const found = await stat(path).catch(ignoreMissing);
    if (!found && (await lstat(path).catch(ignoreMissing))) {
      throw new TremplinError("failed", `${named} is a link to nothing: make that file, or remove the link`);
    }
    const before = found ? await readFile(path, "latin1") : "";
    const after = withInclude(before, includeLine(home, files.config));
    if (after === undefined) return false;
    const mode = found ? found.mode & 0o777 : 0o600;
    await replaceOf(path, Buffer.from(after, "latin1"), mode);
    return true;
  });
}

/** Replaces a file in a folder where every other name can be the person's. */
async function replaceOf(path: string, content: Buffer, mode: number): Promise<void> {
  const fresh = `${path}.tremplin-${randomBytes(6).toString("hex")}`;
  try {
    await replaceFile(path, content, mode, fresh);
  } finally {
    await rm(fresh, { force: true });
  }
}

/** Keeps the keys that a container has now: one of the same name may be another one since. */
export async function keepHostKeys(folder: string, host: string, keys: readonly string[]): Promise<void> {
  const path = join(folder, "known_hosts");
  const isKept = (text: string) => withHostKeys(text, host, keys) === text;
  if (isKept((await textOfFile(path)) ?? "")) return;
  // Other connections begin at the same time. Where nothing can be locked, this one is made all the same.
  const locking = lockFile(join(folder, "lock"), AbortSignal.timeout(LOCK_TIMEOUT_MS));
  await using _lock = await locking.catch(() => undefined);
  const before = (await textOfFile(path)) ?? "";
  if (!isKept(before)) await replaceOf(path, Buffer.from(withHostKeys(before, host, keys)), 0o600);
}

async function asSentence<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TremplinError) throw error;
    throw new TremplinError(
      "failed",
      `the settings of ssh cannot be written: ${systemErrorSentence(error as Error)}`,
      error,
    );
  }
}
