import { open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

const FRESH = ".new";

/**
 * Replaces a file so that after a crash at any instant, of the program or of the machine, either the old
 * content or the new one is there, whole. Made with mode 0600 unless told otherwise.
 */
export async function replaceFile(path: string, content: string, mode = 0o600): Promise<void> {
  const fresh = `${path}${FRESH}`;
  {
    await using file = await open(fresh, "w", mode);
    await file.writeFile(content);
    await file.datasync();
  }
  await rename(fresh, path);
  await using folder = await open(dirname(path), "r");
  await folder.sync();
}

/**
 * Removes what a program that died in the middle of replaceFile left in a folder: for folders whose files get new
 * names all the time, so that nobody writes over it. Not while anybody writes there.
 */
export async function removeUnfinished(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(FRESH));
  await Promise.all(names.map((name) => rm(join(folder, name), { force: true })));
}
