import { link, mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

const APT_ARCHIVES = "var/cache/apt/archives";

/** Puts the packages of an earlier build where apt looks before it downloads. They are linked, not copied. */
export async function provideCachedPackages(cache: string, tree: string): Promise<void> {
  const folder = join(tree, APT_ARCHIVES);
  await mkdir(folder, { recursive: true });
  await mkdir(cache, { recursive: true, mode: 0o700 });
  for (const name of await readdir(cache)) {
    if (name.endsWith(".deb")) await link(join(cache, name), join(folder, name));
  }
}

/**
 * Takes the packages out of a built tree and keeps those that are installed in it, each by a rename, so that the
 * cache never holds part of one; those of an earlier build that this one had no use for are dropped.
 */
export async function saveToCache(tree: string, cache: string): Promise<void> {
  const folder = join(tree, APT_ARCHIVES);
  const installed = debFileNames(await readFile(join(tree, "var/lib/dpkg/status"), "utf8"));
  for (const name of await readdir(cache)) {
    if (!installed.has(name)) await rm(join(cache, name), { recursive: true });
  }
  for (const name of await readdir(folder)) {
    if (installed.has(name)) await rename(join(folder, name), join(cache, name));
    // Renaming one link of a file onto another link of it leaves both.
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** The names that apt gives to the files of the packages in a dpkg status file. */
export function debFileNames(status: string): Set<string> {
  return new Set(
    status.split("\n\n").map((stanza) => {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(stanza)?.[1] ?? "";
      return `${field("Package")}_${field("Version").replace(":", "%3a")}_${field("Architecture")}.deb`;
    }),
  );
}
