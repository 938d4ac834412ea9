import { link, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

const APT_ARCHIVES = "var/cache/apt/archives";

/** Hard-links the cached packages of an earlier build into the apt cache of a tree. */
export async function provideCachedPackages(cache: string, tree: string): Promise<void> {
  const folder = join(tree, APT_ARCHIVES);
  await mkdir(folder, { recursive: true });
  await mkdir(cache, { recursive: true, mode: 0o700 });
  for (const name of await readdir(cache)) {
    if (name.endsWith(".deb")) await link(join(cache, name), join(folder, name));
  }
}

/**
 * Moves the packages that are installed in a built tree into the cache, each by a rename, so that the cache never has
 * an incomplete file. Removes all other packages from the tree and from the cache.
 */
export async function saveToCache(tree: string, cache: string): Promise<void> {
  const folder = join(tree, APT_ARCHIVES);
  const installed = debFileNames(await readFile(join(tree, "var/lib/dpkg/status"), "utf8"));
  for (const name of await readdir(cache)) {
    if (!installed.has(name)) await rm(join(cache, name), { recursive: true });
  }
  for (const name of await readdir(folder)) {
    if (installed.has(name)) await rename(join(folder, name), join(cache, name));
    // A rename between two hard links of the same file keeps both.
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** The file names in apt's cache of the packages in a dpkg status file. */
export function debFileNames(status: string): Set<string> {
  return new Set(
    status.split("\n\n").map((stanza) => {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(stanza)?.[1] ?? "";
      return `${field("Package")}_${field("Version").replace(":", "%3a")}_${field("Architecture")}.deb`;
    }),
  );
}
