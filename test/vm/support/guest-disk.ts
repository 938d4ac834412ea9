import { spawn } from "node:child_process";
import { once } from "node:events";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findMirrors, releaseSources } from "../../../src/daemon/images/debian-mirror.ts";
import { machineApt } from "../../../src/daemon/mirrors/machine-apt.ts";
import { cachedBuild } from "../../support/cached-build.ts";
import { repository } from "../../support/repository.ts";

const recipe = ["build", "init", "initial"].map((name) => `test/vm/guest/${name}`);

/** The folder of the guest's kernel, initramfs and disk: `vmlinuz`, `initrd.gz`, `root.img`. */
export function guestDisk(): Promise<string> {
  return cachedBuild("vm", recipe, async (folder) => {
    await build(`${folder}.new`);
    await rename(`${folder}.new`, folder);
  });
}

async function build(folder: string): Promise<void> {
  const { signal } = new AbortController();
  const mirrors = await findMirrors("bookworm", machineApt(`${folder}.release-files`, signal));
  const sources = `${folder}.sources`;
  await writeFile(sources, releaseSources("bookworm", mirrors.build), { mode: 0o600 });
  const words = [folder, process.execPath, sources];
  const child = spawn(join(repository, "test/vm/guest/build"), words, {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0)
    throw new Error(`the guest's disk could not be built: test/vm/guest/build ended with ${code}`);
  await rm(sources, { force: true });
}
