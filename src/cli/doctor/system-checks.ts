import { constants, readdir, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { canAccess, textIfReadable } from "../../base/files/files.ts";
import { closedFolder } from "../../base/files/own-folder.ts";
import { findExecutable, searchPath } from "../../base/processes/find-executable.ts";
import { bytesText } from "../../base/text.ts";
import { flavors } from "../../engine/flavors/flavors.ts";
import { checkClock } from "./clock-check.ts";
import { badFinding, type Finding, goodFinding, noteFinding } from "./finding.ts";
import { groupCheck } from "./group-check.ts";
import { kernelChecks } from "./kernel-checks.ts";

const GIB = 1024 ** 3;
/** An unprivileged container needs this many ids. */
const IDS = 65_536;

/** What this computer must have. Tests give another `root`. */
export async function systemChecks(state: string, root = "/"): Promise<Finding[]> {
  return await Promise.all([
    checkRoot(),
    groupCheck(),
    checkEngine(),
    checkProgram("btrfs", ["mkfs.btrfs"], "apt-get install btrfs-progs", false),
    checkBtrfs(root),
    checkProgram("firewall", ["nft", "iptables"], "apt-get install nftables", true),
    checkProgram("dnsmasq", ["dnsmasq"], "apt-get install dnsmasq-base", true),
    checkProgram(
      "mmdebstrap",
      ["mmdebstrap"],
      "apt-get install mmdebstrap, for tremplin create --debian",
      false,
    ),
    ...(await kernelChecks(root)),
    checkNamespaces(root),
    checkClock(),
    checkIds("subuid", root),
    checkIds("subgid", root),
    checkDisk(state),
    checkTraversal(state),
    ...(await checkResets(state)),
  ]);
}

/** The databases that a reset kept because not all containers could be restored. */
async function checkResets(state: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { kind, layout } of flavors) {
    const folder = join(state, kind);
    const names = await readdir(folder).catch((): string[] => []);
    const old = names
      .filter((name) => name.startsWith(`${layout.database}.old`))
      .map((name) => join(folder, name));
    if (old.length === 0) continue;
    const found = `a database reset kept the old database, because it could not restore all containers: ${old.join(", ")}`;
    findings.push(noteFinding("old database", found, "see docs/recovery.md"));
  }
  return findings;
}

function checkRoot(): Finding {
  if (process.getuid?.() === 0) return goodFinding("root", "doctor runs as root");
  return noteFinding(
    "root",
    "doctor does not run as root, so some checks are incomplete",
    "sudo tremplin doctor",
  );
}

async function checkEngine(): Promise<Finding> {
  const found = [];
  for (const { program } of flavors) {
    const path = await findExecutable(program.name, [...searchPath, ...program.folders]);
    if (path) found.push(path);
  }
  if (found.length > 0) return goodFinding("engine", found.join(", "));
  const packages = flavors.map(({ program }) => program.package).join(", or ");
  return badFinding("engine", "no engine is installed", `apt-get install ${packages}`);
}

async function checkProgram(
  name: string,
  anyOf: readonly string[],
  advice: string,
  needed: boolean,
): Promise<Finding> {
  for (const program of anyOf) {
    const path = await findExecutable(program);
    if (path) return goodFinding(name, path);
  }
  return (needed ? badFinding : noteFinding)(name, `${anyOf.join(" or ")} is not installed`, advice);
}

async function checkBtrfs(root: string): Promise<Finding> {
  const known = await textIfReadable(join(root, "proc/filesystems"));
  if (/\tbtrfs$/m.test(known)) return goodFinding("btrfs kernel", "supported by the kernel");
  return noteFinding(
    "btrfs kernel",
    "not loaded; copies and snapshots are slow without it",
    "modprobe btrfs",
  );
}

async function checkNamespaces(root: string): Promise<Finding> {
  const most = (await textIfReadable(join(root, "proc/sys/user/max_user_namespaces"))).trim();
  if (Number(most) > 0) return goodFinding("user namespaces", `up to ${most}`);
  const found = most === "" ? "not supported by the kernel" : "disabled";
  return badFinding(
    "user namespaces",
    found,
    "sysctl -w user.max_user_namespaces=10000; a kernel with CONFIG_USER_NS",
  );
}

async function checkIds(file: "subuid" | "subgid", root: string): Promise<Finding> {
  const lines = (await textIfReadable(join(root, "etc", file))).split("\n").map((line) => line.split(":"));
  const counts = lines.filter(([who]) => who === "root" || who === "0").map(([, , count]) => Number(count));
  const most = Math.max(0, ...counts.filter(Number.isInteger));
  if (most >= IDS) return goodFinding(file, `root has ${most} consecutive ids`);
  const found = most > 0 ? `root has only ${most} consecutive ids` : "root has no ids";
  return badFinding(
    file,
    found,
    `echo root:1000000:1000000 >> /etc/${file} # for --site crostini more: docs/sites.md`,
  );
}

async function checkDisk(state: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(await existing(state));
  const free = `${bytesText(bavail * bsize)} free for ${state}`;
  if (bavail * bsize < GIB) return badFinding("disk", free, "free some space: a container takes about 1 GiB");
  if (bavail * bsize < 5 * GIB)
    return noteFinding("disk", free, "free some space: a few containers fill this");
  return goodFinding("disk", free);
}

/** The root user of a container is an unprivileged user outside, but its files are below the state folder. */
async function checkTraversal(state: string): Promise<Finding> {
  const closed = await closedFolder(state);
  if (closed === undefined) return goodFinding("state folder", `containers can pass through ${state}`);
  return badFinding(
    "state folder",
    `other users cannot pass through ${closed}, so no container can start`,
    `chmod o+x ${closed}`,
  );
}

/** The folder itself, or the nearest parent that exists. */
async function existing(path: string): Promise<string> {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (at === dirname(at) || (await canAccess(at, constants.F_OK))) return at;
  }
}
