import { mkdir, readFile, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { canAccess, replaceFile } from "../../base/files/files.ts";
import { runProgram } from "../../base/processes/run-program.ts";
import { systemErrorSentence } from "../../base/system-error.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import type { PersonsHome } from "./person.ts";
import { includeLine, withInclude } from "./ssh-config-text.ts";

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
    const found = await stat(path).catch(ifNoFile);
    const before = found ? await readFile(path, "latin1") : "";
    const after = withInclude(before, includeLine(home, files.config));
    if (after === undefined) return false;
    const mode = found ? found.mode & 0o777 : 0o600;
    await replaceFile(path, Buffer.from(after, "latin1"), mode);
    return true;
  });
}

function ifNoFile(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
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
