import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { programLines } from "../base/processes/program-lines.ts";
import { findMirrors, releaseSources } from "../daemon/images/debian-mirror.ts";
import { aptAcquireSettings } from "../daemon/images/mmdebstrap.ts";
import { machineApt } from "../daemon/mirrors/machine-apt.ts";
import { aptSettingsInside } from "./apt-settings.ts";
import { enabledUnits, guestFiles, guestPackages, initialModules, maskedUnits } from "./guest-files.ts";

const CODENAME = "bookworm";

/** The size of the system's disk; its file is sparse. */
const SYSTEM_SIZE = "8G";

/**
 * Builds the kernel, the initramfs and the disk of a machine from Debian's packages. The folder `system` appears when
 * everything in it is complete. Needs root, or a user who may create user namespaces. Yields progress messages.
 */
export async function* buildSystem(system: string, signal: AbortSignal): AsyncGenerator<string, void, void> {
  const making = `${system}.new`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { recursive: true, mode: 0o700 });
  const path = (name: string): string => join(making, name);
  const mirrors = await findMirrors(CODENAME, machineApt(path("release-files"), signal));
  await writeFile(path("debian.sources"), releaseSources(CODENAME, mirrors.build), { mode: 0o600 });
  const acquire = await aptAcquireSettings();
  await writeFile(path("acquire.conf"), acquire, { mode: 0o600 });
  const apt = {
    "etc/apt/sources.list.d/debian.sources": releaseSources(CODENAME, mirrors.inside),
    // mmdebstrap leaves the settings of the build here.
    "etc/apt/apt.conf.d/99mmdebstrap": await aptSettingsInside(acquire),
  };
  for (const [name, content] of Object.entries({ ...guestFiles, ...apt })) {
    await mkdir(dirname(path(`files/${name}`)), { recursive: true });
    await writeFile(path(`files/${name}`), content);
  }
  yield "installing Debian packages";
  const root = process.getuid?.() === 0;
  // One kill ends all processes that root starts, and removes their mounts; the next build removes the folder.
  const own = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const debian = ["mmdebstrap", ...mmdebstrapArguments(making)];
  const env = root ? { TMPDIR: making } : {};
  yield* programLines([...(root ? own : []), ...debian], { name: "mmdebstrap", signal, env });
  yield "creating the disk";
  await writeFile(path("make-disk"), makeDisk);
  const asRoot = root ? [] : ["--map-root-user", "--map-auto"];
  const script = ["sh", "-eu", path("make-disk"), making];
  yield* programLines(["unshare", "--mount", ...asRoot, ...script], { name: "creating the disk", signal });
  for (const name of ["files", "root.tar", "make-disk", "acquire.conf", "debian.sources"]) {
    await rm(path(name), { recursive: true, force: true });
  }
  await rm(system, { recursive: true, force: true });
  await rename(making, system);
}

function mmdebstrapArguments(making: string): string[] {
  const initial = `mkdir -p "$1/etc/initramfs-tools/conf.d"
echo MODULES=list >"$1/etc/initramfs-tools/conf.d/tremplin"
printf '%s\\n' ${initialModules.join(" ")} >"$1/etc/initramfs-tools/modules"`;
  const args = [
    ...[
      "--verbose",
      "--mode=auto",
      "--format=tar",
      "--variant=minbase",
      `--aptopt=${join(making, "acquire.conf")}`,
    ],
    ...[`--include=${guestPackages.join(",")}`, `--essential-hook=${initial}`],
    ...["--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*"],
    ...["--dpkgopt=path-exclude=/usr/share/locale/*"],
  ];
  return [...args, CODENAME, join(making, "root.tar"), join(making, "debian.sources")];
}

/** Runs as root, or as root of a user namespace. $1: the folder for the new system. */
const makeDisk = `
cd "$1"
mkdir root
# A tmpfs disappears with its mount namespace.
mount -t tmpfs tmpfs root
tar -x --numeric-owner -f root.tar -C root --exclude='./dev/*'
# Those of the build; the machine's own are among the files.
rm -rf root/etc/apt/sources.list root/etc/apt/sources.list.d
cp -r --no-preserve=mode,ownership files/. root/
mkdir -p root/mnt/host root/mnt/stateful
rm -f root/etc/machine-id root/etc/ssh/ssh_host_*
systemctl --quiet --root="$PWD/root" mask ${maskedUnits.join(" ")}
systemctl --quiet --root="$PWD/root" enable ${enabledUnits.join(" ")}
cp root/boot/vmlinuz-* vmlinuz
cp root/boot/initrd.img-* initrd.img
rm -f root/boot/*
mke2fs -q -t ext4 -d root root.img ${SYSTEM_SIZE}
umount root
rmdir root
`;
