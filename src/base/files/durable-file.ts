import { open, readdir, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The suffix of a file that is not complete yet. */
const UNFINISHED = ".new";

/**
 * Replaces a file atomically: after a crash of the program or the machine at any instant, the path has either the old
 * content or the new one, complete. The default mode is 0600.
 */
export async function replaceFile(path: string, content: string, mode = 0o600): Promise<void> {
  const fresh = `${path}${UNFINISHED}`;
  {
    await using file = await open(fresh, "w", mode);
    await file.writeFile(content);
    await file.datasync();
  }
  await rename(fresh, path);
  await using folder = await open(dirname(path), "r");
  await folder.sync();
}

/** Removes the incomplete files that replaceFile left in a folder when it was interrupted. */
export async function removeUnfinished(folder: string): Promise<void> {
  const found = await readdir(folder, { withFileTypes: true });
  for (const { name } of found.filter((entry) => entry.isFile() && entry.name.endsWith(UNFINISHED))) {
    await unlink(join(folder, name));
  }
}
