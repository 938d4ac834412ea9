import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import { lockFile } from "../../src/base/files/file-lock.ts";
import { ContainerCreationProgress_Status as Created } from "../../src/contract/tremplin_pb.js";
import type { Engine } from "../../src/engine/engine.ts";
import type { TestDaemon } from "./daemon.ts";
import { buildPackage, type FakePackage } from "./debian-repository.ts";
import { eventually } from "./eventually.ts";
import { runInside } from "./run-inside.ts";
import { execute } from "./system-state.ts";

/** Increase this when the tree is built differently. */
const RECIPE = 2;

const inittab = `::once:/bin/busybox udhcpc -f -i eth0 -s /usr/local/sbin/have-address
::respawn:/bin/sleep 1000000
::shutdown:/bin/true
`;

const haveAddress = `#!/bin/sh
[ -n "$ip" ] || exit 0
/bin/busybox ip address replace "$ip/$mask" dev "$interface"
echo "nameserver $dns" >/etc/resolv.conf
`;

/** The package that identifies a release in tests with small releases. */
export function baseFiles(versionId: string, codename: string): FakePackage {
  const release = `ID=debian\nVERSION_ID="${versionId}"\nVERSION_CODENAME=${codename}\nPRETTY_NAME="Debian ${versionId}"\n`;
  return {
    name: "base-files",
    version: versionId,
    fields: { Essential: "yes" },
    files: { "usr/lib/os-release": release },
  };
}

/**
 * Creates a container with real apt and dpkg, a small init and the os-release of Debian 9, for upgrades to tiny releases.
 * Its tarballs are built once and kept.
 */
export async function createAptContainer(daemon: TestDaemon, containerName: string): Promise<void> {
  const folder = await aptImage();
  for (const name of ["rootfs.tar.zst", "metadata.tar.gz"]) {
    await copyFile(join(folder, name), join(daemon.shared, name));
  }
  await daemon.tremplin.createContainer({
    containerName,
    rootfsPath: join(daemon.shared, "rootfs.tar.zst"),
    metadataPath: join(daemon.shared, "metadata.tar.gz"),
  });
  const final = await daemon.listener.final("create", containerName);
  assert.equal(final.status, Created.CREATED, final.failureReason);
}

async function aptImage(): Promise<string> {
  const cache = process.env.TREMPLIN_CACHE ?? "/var/cache/tremplin";
  const folder = join(cache, `apt-container-${RECIPE}`);
  await mkdir(cache, { recursive: true });
  await using _ = await lockFile(`${folder}.lock`, new AbortController().signal);
  if (await stat(folder).catch(() => undefined)) return folder;
  const work = await mkdtemp(join(tmpdir(), "apt-container-"));
  try {
    await rename(await build(work), folder).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "EXDEV") throw error;
      await execute("cp", ["--recursive", join(work, "image"), `${folder}.new`]);
      await rename(`${folder}.new`, folder);
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

async function build(work: string): Promise<string> {
  const tree = join(work, "tree");
  const include = "--include=busybox-static,procps";
  await execute(
    "mmdebstrap",
    ["--mode=root", "--variant=apt", include, "--format=directory", "bookworm", tree],
    {
      maxBuffer: 1 << 26,
    },
  );
  await symlink("/bin/busybox", join(tree, "sbin/init"));
  await writeFile(join(tree, "etc/inittab"), inittab);
  await writeFile(join(tree, "usr/local/sbin/have-address"), haveAddress, { mode: 0o755 });
  await rm(join(tree, "etc/apt/sources.list"), { force: true });
  // Without this list the small package does not remove the files of the real one.
  await writeFile(join(tree, "var/lib/dpkg/info/base-files.list"), "/.\n");
  await rm(join(tree, "var/lib/dpkg/info/base-files.postinst"), { force: true });
  const deb = await buildPackage(work, baseFiles("9", "stretch"));
  await copyFile(deb, join(tree, "root/base.deb"));
  await execute("chroot", [tree, "dpkg", "--force-all", "--install", "/root/base.deb"]);
  for (const path of ["root/base.deb", "var/lib/apt/lists", "etc/hostname", "etc/resolv.conf"]) {
    await rm(join(tree, path), { recursive: true, force: true });
  }
  await mkdir(join(tree, "var/lib/apt/lists/partial"), { recursive: true });
  const image = join(work, "image");
  await mkdir(image);
  const architecture = arch() === "arm64" ? "aarch64" : "x86_64";
  const yaml = `architecture: ${architecture}\ncreation_date: 1700000000\nproperties: {os: debian, description: apt alone}\n`;
  await writeFile(join(work, "metadata.yaml"), yaml);
  await execute("tar", ["-C", work, "-czf", join(image, "metadata.tar.gz"), "metadata.yaml"]);
  const rootfs = [
    "-C",
    tree,
    "--zstd",
    "--numeric-owner",
    "--exclude=./dev/*",
    "-cf",
    join(image, "rootfs.tar.zst"),
    ".",
  ];
  await execute("tar", rootfs);
  return image;
}

/** Resolves once the container reaches a server at this address. */
export async function reaches(engine: Engine, container: string, url: string): Promise<void> {
  await eventually(`${container} reaches ${url}`, async () => {
    const command = ["/bin/busybox", "wget", "-q", "-O", "/dev/null", url];
    const { exitCode } = await engine.execCapture(container, command);
    return exitCode === 0 ? true : undefined;
  });
}

/** Everything that must be the same after a rollback. */
export async function stateOf(engine: Engine, container: string): Promise<Record<string, string>> {
  const { value } = await engine.instances.get(container);
  const packages = await runInside(engine, container, "dpkg --list");
  const etc = await runInside(engine, container, "find /etc -type f -print0 | sort -z | xargs -0 sha256sum");
  const links = await runInside(engine, container, "find /etc -type l -printf '%p %l\n' | sort");
  const leftovers = await runInside(engine, container, "ls -A /var/tmp /tmp");
  return { status: value.status, packages, etc, links, leftovers };
}
