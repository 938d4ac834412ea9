import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { IdMap, IdRange } from "../guest/id-map.ts";

/** Bytes of memory: the largest windows of zstd and xz fit, a name of gigabytes in an archive does not. */
const MEMORY_LIMIT_BYTES = 1024 ** 3;
/** nobody and nogroup, the same on all Linux systems that matter here. */
const NOBODY = 65534;

/** Where a confined program may write: the namespace must be one that shifts ids. */
export interface UnpackTarget {
  readonly folder: string;
  readonly namespace: UserNamespace;
}

/**
 * How a program is run that reads what a stranger wrote: with bounded memory, nothing of our environment, and as
 * nobody, who can get no privileges and opens nothing but its pipes; or, with a home, there, as the root of its namespace.
 */
export function sandboxed(
  command: readonly [program: string, ...args: string[]],
  home?: UnpackTarget,
): { readonly words: readonly [string, ...string[]]; readonly cwd: string } {
  const bounds = ["prlimit", `--as=${MEMORY_LIMIT_BYTES}`, "--core=0", "--"] as const;
  const identity = ["--reuid", `${NOBODY}`, "--regid", `${NOBODY}`, "--clear-groups", "--no-new-privs"];
  const nobody = ["setpriv", ...identity, "--pdeathsig", "KILL", "--"] as const;
  const environment = ["env", "-i", `PATH=${process.env.PATH}`, "LC_ALL=C", "TZ=UTC", ...command] as const;
  return {
    words: [...bounds, ...(home ? home.namespace.command(...environment) : [...nobody, ...environment])],
    cwd: home?.folder ?? "/",
  };
}

/**
 * A user namespace with the id map of a container: a program in it sees the files of the container as the
 * container does, and is nobody to all others. Lasts until it is disposed; a kill of this process ends it too.
 */
export class UserNamespace implements AsyncDisposable {
  /** Undefined for a map that shifts nothing: then there is nothing to see otherwise. */
  readonly #holder: ChildProcess | undefined;

  private constructor(holder: ChildProcess | undefined) {
    this.#holder = holder;
  }

  static async open(map: IdMap): Promise<UserNamespace> {
    if (map.uid.length === 0 && map.gid.length === 0) return new UserNamespace(undefined);
    // It holds the namespace until its input ends. Its first output tells that it is inside.
    const holder = spawn("unshare", ["--user", "--", "cat"], { stdio: ["pipe", "pipe", "ignore"] });
    const namespace = new UserNamespace(holder);
    try {
      await entered(holder);
      await writeFile(`/proc/${holder.pid}/uid_map`, format(map.uid));
      await writeFile(`/proc/${holder.pid}/gid_map`, format(map.gid));
      return namespace;
    } catch (error) {
      await namespace[Symbol.asyncDispose]();
      throw new TremplinError("failed", "cannot make a user namespace with the container's id map", error);
    }
  }

  /** The words that run a command as the root of the namespace. */
  command(...words: readonly [string, ...string[]]): readonly [string, ...string[]] {
    if (!this.#holder) return words;
    const space = `--user=/proc/${this.#holder.pid}/ns/user`;
    // Who becomes somebody else forgets to die with its parent.
    const again = ["setpriv", "--pdeathsig", "KILL", "--"];
    return ["nsenter", space, "--setuid", "0", "--setgid", "0", "--", ...again, ...words];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const holder = this.#holder;
    if (!holder || holder.exitCode !== null || holder.signalCode !== null) return;
    holder.kill("SIGKILL");
    await once(holder, "exit");
  }
}

async function entered({ stdin, stdout }: ChildProcess): Promise<void> {
  if (!stdin || !stdout) throw new TremplinError("failed", "unshare was not started");
  stdin.on("error", () => undefined);
  stdin.write("\n");
  for await (const _ of stdout.iterator({ destroyOnReturn: false })) return;
  throw new TremplinError("failed", "unshare ended at once; are user namespaces allowed on this machine?");
}

function format(ranges: readonly IdRange[]): string {
  return ranges.map(({ containerId, hostId, count }) => `${containerId} ${hostId} ${count}\n`).join("");
}
