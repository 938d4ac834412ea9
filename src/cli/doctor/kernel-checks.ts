import { readdir } from "node:fs/promises";
import { release } from "node:os";
import { join } from "node:path";
import { canAccess, textIfReadable } from "../../base/files/files.ts";
import { checkCgroups } from "./cgroups.ts";
import { badFinding, type Finding, goodFinding, noteFinding } from "./finding.ts";

const NAMESPACES = ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"];

/** What the running kernel must have for containers. */
export async function kernelChecks(root: string, running = release()): Promise<Finding[]> {
  return await Promise.all([
    checkCgroups(root),
    checkFeatures(root),
    checkModules(root, running),
    checkAppArmor(root),
  ]);
}

async function checkFeatures(root: string): Promise<Finding> {
  const found = await readdir(join(root, "proc/self/ns")).catch((): string[] => []);
  const status = await textIfReadable(join(root, "proc/self/status"));
  const missing = [
    ...NAMESPACES.filter((name) => !found.includes(name)).map((name) => `${name} namespaces`),
    ...(/^Seccomp:/m.test(status) ? [] : ["seccomp"]),
  ];
  if (missing.length === 0) return goodFinding("kernel", "has the namespaces and seccomp");
  return badFinding(
    "kernel",
    `has no ${missing.join(", ")}, without which no container can start`,
    "boot a kernel of the distribution: apt-get install linux-image-amd64 (or linux-image-arm64), then reboot",
  );
}

/** After an update of the kernel those of the running one may be gone: what is not loaded yet cannot be loaded any more. */
async function checkModules(root: string, running: string): Promise<Finding> {
  const folder = join(root, "lib/modules");
  const releases = await readdir(folder).catch((): string[] => []);
  if (releases.length === 0) return goodFinding("modules", "built into the kernel");
  if (releases.includes(running)) return goodFinding("modules", `there for the kernel ${running}`);
  const newest = releases.toSorted().at(-1);
  return badFinding(
    "modules",
    `those of the running kernel ${running} are gone, so bridges, firewall rules and file systems may fail`,
    `reboot: the kernel ${newest} was installed since`,
  );
}

async function checkAppArmor(root: string): Promise<Finding> {
  const enabled = await textIfReadable(join(root, "sys/module/apparmor/parameters/enabled"));
  if (/^Y/.test(enabled)) {
    const parser = ["sbin/apparmor_parser", "usr/sbin/apparmor_parser"].map((path) =>
      canAccess(join(root, path)),
    );
    if ((await Promise.all(parser)).includes(true)) return goodFinding("AppArmor", "confines containers");
    const found = "the kernel has it, and no program that loads the profiles of containers";
    return badFinding("AppArmor", `${found}, so containers may not start`, "apt-get install apparmor");
  }
  return noteFinding(
    "AppArmor",
    "is not enabled: containers are confined by namespaces, ids and seccomp alone",
    "boot with apparmor=1 security=apparmor, if the kernel has it; nothing to do otherwise",
  );
}
