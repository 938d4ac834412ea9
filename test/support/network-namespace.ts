import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { execute } from "./system-state.ts";

/** A network of its own for a daemon and its engine: interfaces, routes, firewall and ports. */
export interface NetworkNamespace extends AsyncDisposable {
  /** The words before those of a program that runs in it. */
  readonly prefix: readonly string[];
  /** Runs a shell script in it; gives its output. */
  run(script: string): Promise<string>;
}

/** Shows the interfaces of this namespace in /sys. */
const SETUP = `set -e
# Nothing may hide a part of it: then no container could mount it.
at=$(mktemp -d)
mount --rbind /sys/fs/cgroup "$at"
mount -t sysfs sysfs /sys
mount --rbind "$at" /sys/fs/cgroup
umount --recursive --lazy "$at"
rmdir "$at"
ip link set lo up
eval "$1"
echo ready
exec sleep infinity`;

/** Makes one with what a shell script sets up in it. It ends with this process, and when it is disposed. */
export async function networkNamespace(script: string): Promise<NetworkNamespace> {
  const words = ["--pdeathsig", "KILL", "unshare", "--net", "--mount", "sh", "-c", SETUP, "sh", script];
  const holder = spawn("setpriv", words, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(holder, "exit");
  const line = await once(createInterface({ input: holder.stdout }), "line", {
    signal: AbortSignal.timeout(20_000),
  });
  if (line[0] !== "ready") throw new Error(`the namespace was not made: ${line[0]}`);
  const prefix = ["nsenter", "--net", "--mount", "--target", `${holder.pid}`, "--"];
  return {
    prefix,
    async run(wanted) {
      const [program = "", ...args] = [...prefix, "sh", "-ec", wanted];
      return (await execute(program, args)).stdout;
    },
    async [Symbol.asyncDispose]() {
      holder.kill("SIGKILL");
      await exited;
    },
  };
}
