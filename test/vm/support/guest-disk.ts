import { spawn } from "node:child_process";
import { once } from "node:events";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { machineMirror, releaseSources } from "../../../src/daemon/images/debian-mirror.ts";
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
  const words = [folder, process.execPath];
  const mirror = await machineMirror();
  const sources = `${folder}.sources`;
  if (mirror) {
    await writeFile(sources, releaseSources("bookworm", mirror));
    words.push(sources);
  }
  const child = spawn(join(repository, "test/vm/guest/build"), words, {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0)
    throw new Error(`the guest's disk could not be built: test/vm/guest/build ended with ${code}`);
  await rm(sources, { force: true });
}
