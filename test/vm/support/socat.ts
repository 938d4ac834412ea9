import { spawn } from "node:child_process";
import { once } from "node:events";

/** Runs socat between two of its addresses until this is disposed; with the flag `-u` only from one to the other. */
export function socat(from: string, to: string, ...flags: readonly string[]): AsyncDisposable {
  const child = spawn("socat", [...flags, from, to], { stdio: ["ignore", "inherit", "inherit"] });
  const exited = once(child, "exit");
  return {
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
    },
  };
}
