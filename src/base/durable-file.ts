import { open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Replaces a file so that after a crash at any instant, of the program or of the machine, either the old
 * content or the new one is there, whole. Made with mode 0600 unless told otherwise.
 */
export async function replaceFile(path: string, content: string, mode = 0o600): Promise<void> {
  const fresh = `${path}.new`;
  {
    await using file = await open(fresh, "w", mode);
    await file.writeFile(content);
    await file.datasync();
  }
  await rename(fresh, path);
  await using folder = await open(dirname(path), "r");
  await folder.sync();
}
