import { constants, readdir, stat, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { canAccess } from "../../base/files/can-access.ts";
import { textIfReadable } from "../../base/files/text-of-file.ts";
import { findExecutable, searchPath } from "../../base/processes/find-executable.ts";
import { flavors } from "../../engine/flavors/flavors.ts";
import { bytesText } from "../text/text.ts";
import { bad, type Finding, good, note } from "./finding.ts";

const GIB = 1024 ** 3;
/** An unprivileged container needs this many ids. */
const IDS = 65_536;

/** What the machine itself must have. `root` is where to look for files, "/" but in tests. */
export async function machineChecks(state: string, root = "/"): Promise<Finding[]> {
  return await Promise.all([
    checkRoot(),
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
    checkNamespaces(root),
    checkIds("subuid", root),
    checkIds("subgid", root),
    checkDisk(state),
    checkPassage(state),
    ...(await checkResets(state)),
  ]);
}

/** What a reset of an engine's database left: nothing, when all containers came back. */
async function checkResets(state: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { kind, layout } of flavors) {
    const folder = join(state, kind);
    const names = await readdir(folder).catch((): string[] => []);
    const old = names
      .filter((name) => name.startsWith(`${layout.database}.old`))
      .map((name) => join(folder, name));
    if (old.length === 0) continue;
    const found = `kept since a reset, because not all containers came back: ${old.join(", ")}`;
    findings.push(note("old database", found, "see docs/recovery.md"));
  }
  return findings;
}

function checkRoot(): Finding {
  if (process.getuid?.() === 0) return good("root", "this runs as root");
  return note("root", "this does not run as root, so not all can be seen", "sudo tremplin doctor");
}

async function checkEngine(): Promise<Finding> {
  const found = [];
  for (const { program } of flavors) {
    const path = await findExecutable(program.name, [...searchPath, ...program.folders]);
    if (path) found.push(path);
  }
  if (found.length > 0) return good("engine", found.join(", "));
  const packages = flavors.map(({ program }) => program.package).join(", or ");
  return bad("engine", "no engine is installed", `apt-get install ${packages}`);
}

async function checkProgram(
  name: string,
  anyOf: readonly string[],
  advice: string,
  needed: boolean,
): Promise<Finding> {
  for (const program of anyOf) {
    const path = await findExecutable(program);
    if (path) return good(name, path);
  }
  return (needed ? bad : note)(name, `${anyOf.join(" or ")} is not installed`, advice);
}

async function checkBtrfs(root: string): Promise<Finding> {
  const known = await textIfReadable(join(root, "proc/filesystems"));
  if (/\tbtrfs$/m.test(known)) return good("btrfs kernel", "the kernel has it");
  return note("btrfs kernel", "not loaded; without it copies and snapshots are slow", "modprobe btrfs");
}

async function checkNamespaces(root: string): Promise<Finding> {
  const most = (await textIfReadable(join(root, "proc/sys/user/max_user_namespaces"))).trim();
  if (Number(most) > 0) return good("user namespaces", `up to ${most}`);
  const found = most === "" ? "the kernel has none" : "switched off";
  return bad(
    "user namespaces",
    found,
    "sysctl -w user.max_user_namespaces=10000; a kernel with CONFIG_USER_NS",
  );
}

async function checkIds(file: "subuid" | "subgid", root: string): Promise<Finding> {
  const lines = (await textIfReadable(join(root, "etc", file))).split("\n").map((line) => line.split(":"));
  const counts = lines.filter(([who]) => who === "root" || who === "0").map(([, , count]) => Number(count));
  const most = Math.max(0, ...counts.filter(Number.isInteger));
  if (most >= IDS) return good(file, `root has ${most} ids in a row`);
  const found = most > 0 ? `root has only ${most} ids in a row` : "root has no ids";
  return bad(file, found, `echo root:100000:10000001 >> /etc/${file}`);
}

async function checkDisk(state: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(await existing(state));
  const free = `${bytesText(bavail * bsize)} free for ${state}`;
  if (bavail * bsize < GIB) return bad("disk", free, "make room: a container takes about 1 GiB");
  if (bavail * bsize < 5 * GIB) return note("disk", free, "make room: a few containers fill this");
  return good("disk", free);
}

/** A container's root is nobody on this machine, yet its files lie below the state folder. */
async function checkPassage(state: string): Promise<Finding> {
  for (let at = await existing(state); ; at = dirname(at)) {
    const { mode } = await stat(at);
    if ((mode & 0o001) === 0) {
      return bad(
        "state folder",
        `only its owner may pass through ${at}, so no container can start`,
        `chmod o+x ${at}`,
      );
    }
    if (at === dirname(at)) return good("state folder", `containers can pass through ${state}`);
  }
}

/** The folder itself or the nearest one above it that is there. */
async function existing(path: string): Promise<string> {
  for (let at = resolve(path); ; at = dirname(at)) {
    if (at === dirname(at) || (await canAccess(at, constants.F_OK))) return at;
  }
}
