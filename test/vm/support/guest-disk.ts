import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { machineMirror, releaseSources } from "../../../src/daemon/images/debian-mirror.ts";
import { lockFile } from "../../../src/daemon/images/file-lock.ts";
import { repository } from "../../support/repository.ts";

/** Where the guest's kernel, initial file system and disk lie: `vmlinuz`, `initrd.gz`, `root.img`. */
export async function guestDisk(): Promise<string> {
  const cache = join(process.env.TREMPLIN_CACHE ?? "/var/cache/tremplin", "vm");
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const folder = join(cache, await contentKey());
  await using _alone = await lockFile(join(cache, "lock"), new AbortController().signal);
  if (
    await access(join(folder, "root.img")).then(
      () => true,
      () => false,
    )
  )
    return folder;
  for (const old of await readdir(cache)) if (old !== "lock") await rm(join(cache, old), { recursive: true });
  await build(`${folder}.new`, cache);
  await rename(`${folder}.new`, folder);
  return folder;
}

/** Another recipe or runtime makes another disk. */
async function contentKey(): Promise<string> {
  const hash = createHash("sha256").update(process.version);
  for (const name of ["build", "init", "initial"]) {
    hash.update(await readFile(join(repository, "test/vm/guest", name)));
  }
  return hash.digest("hex").slice(0, 16);
}

async function build(folder: string, cache: string): Promise<void> {
  const words = [folder, process.execPath];
  const mirror = await machineMirror();
  const sources = join(cache, "debian.sources");
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
