import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { lockFile } from "../../src/base/files/file-lock.ts";
import { canAccess } from "../../src/base/files/files.ts";
import { repository } from "./repository.ts";

const LOCK = "lock";

/**
 * A folder that took long to build, from an earlier run where there is one. Another recipe (files of the
 * checkout) or another runtime makes another one, and the older go. `build` makes the folder complete or not at all.
 */
export async function cachedBuild(
  name: string,
  recipe: readonly string[],
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const cache = join(process.env.TREMPLIN_CACHE ?? "/var/cache/tremplin", name);
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const hash = createHash("sha256").update(process.version);
  for (const file of recipe) hash.update(await readFile(join(repository, file)));
  const folder = join(cache, hash.digest("hex").slice(0, 16));
  await using _alone = await lockFile(join(cache, LOCK), new AbortController().signal);
  if (await canAccess(folder)) return folder;
  for (const old of await readdir(cache)) if (old !== LOCK) await rm(join(cache, old), { recursive: true });
  await build(folder);
  return folder;
}
