import { join } from "node:path";
import { textIfReadable } from "../../base/files/files.ts";
import { badFinding, type Finding, goodFinding, noteFinding } from "./finding.ts";

const NAME = "cgroups";
const PLACE = "/sys/fs/cgroup";

/** Where limits and usage of containers come from, by the controller that each needs. */
const needed = { cpu: "cpu=", memory: "memory=", pids: "the number of processes" } as const;

export interface Mount {
  readonly path: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** The mounts of a process, from its file in /proc. Lines of another form are left out. */
export function parseMounts(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const [, path, type, options] = line.split(" ");
    if (!path || !type || options === undefined) return [];
    return [{ path, type, options: options.split(",") }];
  });
}

/** Whether containers can have control groups, and limits. */
export async function checkCgroups(root: string): Promise<Finding> {
  const mounts = parseMounts(await textIfReadable(join(root, "proc/self/mounts")));
  const unified = mounts.find(({ path, type }) => path === PLACE && type === "cgroup2");
  const old = mounts.filter(({ type }) => type === "cgroup");
  if (!unified && old.length === 0) {
    const advice = `mount -t cgroup2 none ${PLACE}, or boot with systemd, which does so`;
    return badFinding(NAME, `nothing is mounted at ${PLACE}, so no container can start`, advice);
  }
  if (unified && !unified.options.includes("rw")) {
    const found = `${PLACE} is read-only, so no container can start`;
    return badFinding(NAME, found, `mount -o remount,rw ${PLACE}; a container that runs this needs nesting`);
  }
  const there = unified
    ? (await textIfReadable(join(root, "sys/fs/cgroup/cgroup.controllers"))).trim().split(/\s+/)
    : old.flatMap(({ options }) => options);
  const missing = Object.entries(needed).filter(([controller]) => !there.includes(controller));
  if (missing.length > 0) return noteFinding(NAME, lack(missing), adviceFor(missing, unified !== undefined));
  return goodFinding(NAME, unified ? "version 2, with all controllers" : "version 1, with all controllers");
}

function lack(missing: readonly (readonly [string, string])[]): string {
  const names = missing.map(([controller]) => controller).join(", ");
  const effects = missing.map(([, effect]) => effect).join(", ");
  return `without the controllers ${names}: tremplin set cannot limit ${effects}, and tremplin top does not show it`;
}

function adviceFor(missing: readonly (readonly [string, string])[], isUnified: boolean): string {
  const [[first = ""] = []] = missing;
  const option = first === "memory" ? "cgroup_enable=memory" : `cgroup_enable=${first}`;
  const byKernel = `boot the kernel with ${option}, or without cgroup_disable=${first}`;
  if (!isUnified) return byKernel;
  return `${byKernel}; if this runs in a service or a container of its own, that must delegate them (Delegate=yes)`;
}
