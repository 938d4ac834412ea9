import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestDaemon } from "./daemon.ts";
import { execute } from "./system-state.ts";

/** The process of the LXD that a daemon launched. */
export function enginePid({ folder }: Pick<TestDaemon, "folder">): Promise<number> {
  return pidOfEngine(join(folder, "state/lxd"));
}

/** The process of the LXD whose folder that is. */
export async function pidOfEngine(folder: string): Promise<number> {
  const { stdout } = await execute("pgrep", ["-f", "^/usr/s?bin/lxd --group root$|^lxd --group root$"]);
  for (const pid of stdout.trim().split("\n")) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (environment.includes(`LXD_DIR=${folder}\0`)) return Number(pid);
  }
  throw new Error("no engine runs");
}
