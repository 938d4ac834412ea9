import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { IdMap, IdRange } from "../guest/id-map.ts";

/** Fits the largest windows of zstd and xz, but not a name of gigabytes in an archive. */
const MEMORY_LIMIT_BYTES = 1024 ** 3;
/** nobody and nogroup. */
const NOBODY = 65534;

/** The folder that a sandboxed program may write to. The namespace must shift ids. */
export interface UnpackTarget {
  readonly folder: string;
  readonly namespace: UserNamespace;
}

/**
 * Wraps a command that reads untrusted data: bounded memory, an empty environment, and the user nobody without
 * privileges, who can only use its pipes; with a target, in its folder and as root of its namespace instead.
 * images/isolated-program.ts is for programs that are trusted and need root.
 */
export function sandboxed(
  command: readonly [program: string, ...args: string[]],
  target?: UnpackTarget,
): { readonly command: readonly [string, ...string[]]; readonly cwd: string } {
  const bounds = ["prlimit", `--as=${MEMORY_LIMIT_BYTES}`, "--core=0", "--"] as const;
  const identity = ["--reuid", `${NOBODY}`, "--regid", `${NOBODY}`, "--clear-groups", "--no-new-privs"];
  const nobody = ["setpriv", ...identity, "--pdeathsig", "KILL", "--"] as const;
  const environment = ["env", "-i", `PATH=${process.env.PATH}`, "LC_ALL=C", "TZ=UTC", ...command] as const;
  return {
    command: [
      ...bounds,
      ...(target ? target.namespace.command(...environment) : [...nobody, ...environment]),
    ],
    cwd: target?.folder ?? "/",
  };
}

/**
 * A user namespace with the id map of a container: programs in it see the container's files as the container does, and
 * have no rights to others. Exists until it is disposed or this process dies.
 */
export class UserNamespace implements AsyncDisposable {
  /** Undefined for a map that shifts nothing: no namespace is needed. */
  readonly #holder: ChildProcess | undefined;

  private constructor(holder: ChildProcess | undefined) {
    this.#holder = holder;
  }

  static async open(map: IdMap): Promise<UserNamespace> {
    if (map.uid.length === 0 && map.gid.length === 0) return new UserNamespace(undefined);
    // It keeps the namespace until its input ends. Its first output shows that it has entered it.
    const holder = spawn("unshare", ["--user", "--", "cat"], { stdio: ["pipe", "pipe", "ignore"] });
    const namespace = new UserNamespace(holder);
    try {
      await waitUntilEntered(holder);
      await writeFile(`/proc/${holder.pid}/uid_map`, format(map.uid));
      await writeFile(`/proc/${holder.pid}/gid_map`, format(map.gid));
      return namespace;
    } catch (error) {
      await namespace[Symbol.asyncDispose]();
      throw new TremplinError("failed", "cannot create a user namespace with the container's id map", error);
    }
  }

  /** Wraps a command so that it runs as root of the namespace. */
  command(...command: readonly [string, ...string[]]): readonly [string, ...string[]] {
    if (!this.#holder) return command;
    const namespace = `--user=/proc/${this.#holder.pid}/ns/user`;
    // Setting the uid clears the parent-death signal.
    const dieWithParent = ["setpriv", "--pdeathsig", "KILL", "--"];
    return ["nsenter", namespace, "--setuid", "0", "--setgid", "0", "--", ...dieWithParent, ...command];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const holder = this.#holder;
    if (!holder || holder.exitCode !== null || holder.signalCode !== null) return;
    holder.kill("SIGKILL");
    await once(holder, "exit");
  }
}

async function waitUntilEntered({ stdin, stdout }: ChildProcess): Promise<void> {
  if (!stdin || !stdout) throw new TremplinError("failed", "unshare did not start");
  stdin.on("error", () => undefined);
  stdin.write("\n");
  for await (const _ of stdout.iterator({ destroyOnReturn: false })) return;
  throw new TremplinError(
    "failed",
    "unshare ended immediately; are user namespaces allowed on this machine?",
  );
}

function format(ranges: readonly IdRange[]): string {
  return ranges.map(({ containerId, hostId, count }) => `${containerId} ${hostId} ${count}\n`).join("");
}
