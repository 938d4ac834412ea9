import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execute } from "./belongings.ts";
import type { TestDaemon } from "./daemon.ts";

/** The process of the LXD that a daemon launched. */
export async function enginePid({ folder }: TestDaemon): Promise<number> {
  const { stdout } = await execute("pgrep", ["-f", "^/usr/bin/lxd --group root$|^lxd --group root$"]);
  for (const pid of stdout.trim().split("\n")) {
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (environment.includes(`LXD_DIR=${join(folder, "state/lxd")}\0`)) return Number(pid);
  }
  throw new Error("no engine runs");
}
