import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { access, chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { arch, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Engine } from "../../src/engine/engine.ts";

const run = promisify(execFile);

/** Two tarballs that make a container of busybox alone: it boots in a moment and stops when asked to. */
export interface TinyImage extends AsyncDisposable {
  readonly metadata: string;
  readonly rootfs: string;
}

/** What the container holds besides busybox; more, or other, can be given. */
const ownFiles: Readonly<Record<string, string>> = {
  "etc/inittab": "::sysinit:/bin/touch /run/booted\n::respawn:/bin/sleep 1000000\n::shutdown:/bin/true\n",
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
  "etc/group": "root:x:0:\nshadow:x:42:\n",
  "etc/shadow": "root:*:19000:0:99999:7:::\n",
  "etc/gshadow": "root:*::\nshadow:*::\n",
  "etc/os-release": 'PRETTY_NAME="Tiny"\nNAME="Tiny"\nID=tiny\nVERSION_ID="1"\n',
  "etc/skel/.profile": "# tiny\n",
};

/** Builds the image in a folder of its own. Installs busybox-static if it is not there. */
export async function tinyImage(files: Readonly<Record<string, string>> = {}): Promise<TinyImage> {
  const folder = await mkdtemp(join(tmpdir(), "tiny-image-"));
  const root = join(folder, "root");
  for (const name of ["bin", "sbin", "proc", "sys", "dev", "tmp", "root", "run", "var", "home", "usr/bin"]) {
    await mkdir(join(root, name), { recursive: true });
  }
  await installBusybox(root);
  for (const [name, text] of Object.entries({ ...ownFiles, ...files })) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  await chmod(join(root, "etc/shadow"), 0o640);
  const architecture = arch() === "arm64" ? "aarch64" : "x86_64";
  const yaml = `architecture: ${architecture}\ncreation_date: 1700000000\nproperties: {os: tiny, description: Tiny}\n`;
  await writeFile(join(folder, "metadata.yaml"), yaml);
  const image = { metadata: join(folder, "metadata.tar.gz"), rootfs: join(folder, "rootfs.tar.gz") };
  const same = ["--sort=name", "--mtime=@1700000000", "--owner=0", "--group=0", "--numeric-owner", "-czf"];
  await run("tar", ["-C", folder, ...same, image.metadata, "metadata.yaml"]);
  await run("tar", ["-C", root, ...same, image.rootfs, "."]);
  return { ...image, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** Puts the image into an engine under the alias `tiny`; answers its fingerprint. */
export async function uploadTinyImage(
  engine: Engine,
  files?: Readonly<Record<string, string>>,
): Promise<string> {
  await using image = await tinyImage(files);
  const { fingerprint, existed } = await engine.images.uploadSplit(
    createReadStream(image.metadata),
    createReadStream(image.rootfs),
  );
  if (!existed) await engine.images.addAlias("tiny", fingerprint);
  return fingerprint;
}

/** Resolves once the container's init takes signals: before that, a polite stop would be lost on it. */
export async function booted(engine: Engine, name: string): Promise<void> {
  const wait = "until [ -e /run/booted ]; do sleep 0.02; done";
  await engine.execCapture(name, ["sh", "-c", wait], { signal: AbortSignal.timeout(20_000) });
}

async function installBusybox(root: string): Promise<void> {
  const program = "/bin/busybox";
  try {
    await access(program);
  } catch {
    await run("apt-get", ["install", "-y", "--no-install-recommends", "busybox-static"]);
  }
  await copyFile(program, join(root, "bin/busybox"));
  const { stdout } = await run(program, ["--list"]);
  for (const applet of stdout.trim().split("\n")) {
    if (applet !== "busybox" && applet !== "init") await symlink("busybox", join(root, "bin", applet));
  }
  await symlink("../bin/busybox", join(root, "sbin/init"));
}
