import { chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type DebianMirror, releaseSources } from "./debian-mirror.ts";
import type { DebianRelease } from "./debian-releases.ts";
import { type IsolatedOptions, runIsolated, succeeded } from "./isolated-program.ts";

export interface ConfigureOptions extends IsolatedOptions {
  readonly release: DebianRelease;
  /** Where the container fetches packages. */
  readonly mirror: DebianMirror;
  readonly tree: string;
}

/** DHCP by the hardware address of the first interface, because copies of a container share the machine-id. */
const NETWORK = `[Match]
Name=eth0

[Network]
DHCP=yes

[DHCPv4]
ClientIdentifier=mac
UseDomains=yes
`;

/** The primary user has no password, so sudo must not ask for one. */
const SUDOERS = "%sudo ALL=(ALL:ALL) NOPASSWD: ALL\n";

/** Configures a new root file system for a container: network, apt sources, locale. Removes traces of the build. */
export async function configureRootfs(options: ConfigureOptions): Promise<void> {
  const { release, mirror, tree } = options;
  await writeNewFile(tree, "etc/systemd/network/eth0.network", NETWORK);
  await writeNewFile(tree, "etc/sudoers.d/person", SUDOERS);
  // Empty, not missing: systemd then creates an id at boot without running its first-boot setup.
  await writeNewFile(tree, "etc/machine-id", "");
  for (const path of ["etc/hostname", "etc/apt/apt.conf.d/99mmdebstrap", "var/lib/dbus/machine-id"]) {
    await rm(join(tree, path), { force: true });
  }
  await rm(join(tree, "etc/apt/sources.list"), { force: true });
  await rm(join(tree, "etc/apt/sources.list.d"), { recursive: true, force: true });
  await writeNewFile(tree, "etc/apt/sources.list.d/debian.sources", releaseSources(release.codename, mirror));
  for (const [path, content] of Object.entries(release.files ?? {})) await writeNewFile(tree, path, content);
  const inTree = (...command: string[]) => succeeded(runIsolated("chroot", [tree, ...command], options));
  await inTree("update-locale", "--reset", "LANG=C.UTF-8");
  await inTree("systemctl", "enable", "systemd-networkd.service", "systemd-resolved.service");
  if (release.masked) await inTree("systemctl", "mask", ...release.masked);
  await rm(join(tree, "etc/resolv.conf"), { force: true });
  await symlink("../run/systemd/resolve/stub-resolv.conf", join(tree, "etc/resolv.conf"));
}

/** Replaces a path in the tree by a new file: it may be a link to a file outside the tree. */
async function writeNewFile(tree: string, path: string, content: string): Promise<void> {
  const full = join(tree, path);
  // Explicit, because the umask of the daemon may be stricter.
  if (await mkdir(dirname(full), { recursive: true })) await chmod(dirname(full), 0o755);
  await writeFile(`${full}.new`, content, { flag: "wx" });
  await chmod(`${full}.new`, 0o644);
  await rename(`${full}.new`, full);
}
