import { open, readdir, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";

/** What a file is called until it is whole: its name and this. */
const UNFINISHED = ".new";

/**
 * Replaces a file so that after a crash at any instant, of the program or of the machine, either the old
 * content or the new one is there, whole. Made with mode 0600 unless told otherwise.
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

/** Removes from a folder of ours the files that replaceFile began and did not live to name. */
export async function removeUnfinished(folder: string): Promise<void> {
  const found = await readdir(folder, { withFileTypes: true });
  for (const { name } of found.filter((entry) => entry.isFile() && entry.name.endsWith(UNFINISHED))) {
    await unlink(join(folder, name));
  }
}
