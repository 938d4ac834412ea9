import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { textIfReadable } from "../../base/files/files.ts";
import type { Problem } from "./problem.ts";

/** From this share of a limit on it is reported: the next container may reach it. */
const ALMOST = 0.9;
const LIMITS = {
  max_user_instances: { what: "instances", raised: 1024 },
  max_user_watches: { what: "watches", raised: 1_048_576 },
} as const;

type Limit = keyof typeof LIMITS;

/**
 * Whether the kernel's limits for watching files are almost reached. Each systemd has several instances, and those of
 * all containers count for root, who made their user namespaces. `proc`: for tests.
 */
export async function findInotifyLimits(proc = "/proc"): Promise<Problem[]> {
  const used = await usedByContainers(proc);
  const found: Problem[] = [];
  for (const [name, { what, raised }] of Object.entries(LIMITS) as [Limit, (typeof LIMITS)[Limit]][]) {
    const limit = Number(await textIfReadable(join(proc, "sys/fs/inotify", name)));
    if (!(limit > 0) || used[name] < limit * ALMOST) continue;
    const key = `fs.inotify.${name}`;
    const value = Math.max(raised, limit * 4);
    found.push({
      area: "inotify",
      problem: `${used[name]} of ${limit} ${what} of inotify are in use: programs in containers fail with "Too many open files" or "No space left on device"`,
      advice: `sysctl -w ${key}=${value}; echo ${key}=${value} >> /etc/sysctl.d/60-tremplin.conf`,
    });
  }
  return found;
}

async function usedByContainers(proc: string): Promise<Record<Limit, number>> {
  const used = { max_user_instances: 0, max_user_watches: 0 };
  const own = await userNamespace(join(proc, "self"));
  const pids = (await readdir(proc).catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const status = await textIfReadable(join(proc, pid, "status"));
    const isRoot = /^Uid:\s+0\s/m.test(status);
    if (!isRoot && (await userNamespace(join(proc, pid))) === own) continue;
    for (const file of await inotifyFiles(join(proc, pid))) {
      used.max_user_instances++;
      const info = await textIfReadable(join(proc, pid, "fdinfo", file));
      used.max_user_watches += info.match(/^inotify /gm)?.length ?? 0;
    }
  }
  return used;
}

/** "" for a process that has ended. */
function userNamespace(folder: string): Promise<string> {
  return readlink(join(folder, "ns/user")).catch(() => "");
}

/** The numbers of a process's files that are instances of inotify. */
async function inotifyFiles(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, "fd")).catch(() => []);
  const targets = await Promise.all(names.map((name) => readlink(join(folder, "fd", name)).catch(() => "")));
  return names.filter((_, index) => targets[index] === "anon_inode:inotify");
}
