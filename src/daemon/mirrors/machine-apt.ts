import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { textOfFile } from "../../base/files/files.ts";
import type { AptSystem } from "./apt-system.ts";

const execute = promisify(execFile);
const MAX_LIST_LENGTH = 256 * 1024;

/** Neither the build of an image nor a container has the passwords of this machine's apt_auth.conf(5). */
const noPasswords = ["Dir::Etc::netrc=/dev/null", "Dir::Etc::netrcparts=/dev/null"];

/** This machine's apt, without its passwords. */
export function machineApt(folder: string, signal: AbortSignal): AptSystem {
  return {
    folder,
    settings: noPasswords,
    async run([program = "", ...args]) {
      signal.throwIfAborted();
      try {
        return (await execute(program, args, { signal })).stdout;
      } catch (error) {
        signal.throwIfAborted();
        const { stdout } = error as { stdout?: string };
        return stdout ?? "";
      }
    },
    async writeSecret(path, content) {
      await writeFile(path, content, { mode: 0o600, flag: "wx" });
    },
    async readFile(path) {
      const text = await textOfFile(path).catch(() => undefined);
      return text?.slice(0, MAX_LIST_LENGTH);
    },
  };
}
