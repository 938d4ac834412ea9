import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { IdMap, IdRange } from "./id-map.ts";

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
      throw new TremplinError("failed", "cannot create a user namespace with an id map", error);
    }
  }

  /** The file that stands for it in /proc; undefined for a map that shifts nothing. */
  get path(): string | undefined {
    return this.#holder && `/proc/${this.#holder.pid}/ns/user`;
  }

  /** Wraps a command so that it runs as root of the namespace. */
  command(...command: readonly [string, ...string[]]): readonly [string, ...string[]] {
    if (!this.path) return command;
    const namespace = `--user=${this.path}`;
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
