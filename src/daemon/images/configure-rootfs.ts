import { chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type DebianMirror, releaseSources } from "./debian-mirror.ts";
import type { DebianRelease } from "./debian-releases.ts";
import { type IsolatedOptions, runIsolated, succeeded } from "./isolated-program.ts";

export interface ConfigureOptions extends IsolatedOptions {
  readonly release: DebianRelease;
  readonly mirror: DebianMirror | undefined;
  readonly tree: string;
}

/** The first link of the container asks for an address by its hardware address: copies share a machine-id. */
const NETWORK = `[Match]
Name=eth0

[Network]
DHCP=yes

[DHCPv4]
ClientIdentifier=mac
UseDomains=yes
`;

/** A person whose account has no password could not use sudo otherwise. */
const SUDOERS = "%sudo ALL=(ALL:ALL) NOPASSWD: ALL\n";

/** Makes a container of a freshly built root filesystem: network, apt sources, locale, nothing of its maker. */
export async function configureRootfs(options: ConfigureOptions): Promise<void> {
  const { release, mirror, tree } = options;
  await writeNewFile(tree, "etc/systemd/network/eth0.network", NETWORK);
  await writeNewFile(tree, "etc/sudoers.d/person", SUDOERS);
  // Empty, not missing: systemd makes one at the first boot without taking it for a first boot of a new image.
  await writeNewFile(tree, "etc/machine-id", "");
  for (const path of ["etc/hostname", "etc/apt/apt.conf.d/99mmdebstrap", "var/lib/dbus/machine-id"]) {
    await rm(join(tree, path), { force: true });
  }
  if (mirror) {
    await rm(join(tree, "etc/apt/sources.list"), { force: true });
    await rm(join(tree, "etc/apt/sources.list.d"), { recursive: true, force: true });
    await writeNewFile(
      tree,
      "etc/apt/sources.list.d/debian.sources",
      releaseSources(release.codename, mirror),
    );
  }
  for (const [path, content] of Object.entries(release.files ?? {})) await writeNewFile(tree, path, content);
  const inTree = (...command: string[]) => succeeded(runIsolated("chroot", [tree, ...command], options));
  await inTree("update-locale", "--reset", "LANG=C.UTF-8");
  await inTree("systemctl", "enable", "systemd-networkd.service", "systemd-resolved.service");
  if (release.masked) await inTree("systemctl", "mask", ...release.masked);
  await rm(join(tree, "etc/resolv.conf"), { force: true });
  await symlink("../run/systemd/resolve/stub-resolv.conf", join(tree, "etc/resolv.conf"));
}

/** Writes a file in the tree as a new one: what stood there may have been a link to somewhere else. */
async function writeNewFile(tree: string, path: string, content: string): Promise<void> {
  const full = join(tree, path);
  // Said again, for the umask of a daemon may be narrower.
  if (await mkdir(dirname(full), { recursive: true })) await chmod(dirname(full), 0o755);
  await writeFile(`${full}.new`, content, { flag: "wx" });
  await chmod(`${full}.new`, 0o644);
  await rename(`${full}.new`, full);
}
