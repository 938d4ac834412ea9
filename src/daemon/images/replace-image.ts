import { lstat, readdir, rename } from "node:fs/promises";
import { basename } from "node:path";
import { ignoreMissing } from "../../base/files/files.ts";
import { imageFiles } from "./pack-image.ts";

/**
 * Replaces an image by a new one. Moves the old one to `aside`, for the caller to delete. If the old one is not an image
 * or has other files in it, a person put them there: it is kept under a free name, which is returned.
 */
export async function replaceImage(image: string, fresh: string, aside: string): Promise<string | undefined> {
  const kept = (await isReplaceable(image)) ? undefined : await findFreeName(image);
  await rename(image, kept ?? aside).catch(ignoreMissing);
  await rename(fresh, image);
  return kept;
}

async function isReplaceable(image: string): Promise<boolean> {
  const found = await lstat(image).catch(ignoreMissing);
  if (!found) return true;
  if (!found.isDirectory()) return false;
  const own = Object.values(imageFiles("")).map((path) => basename(path));
  const entries = await readdir(image, { withFileTypes: true });
  return entries.every((entry) => entry.isFile() && own.includes(entry.name));
}

async function findFreeName(path: string): Promise<string> {
  for (let count = 1; ; count++) {
    const name = `${path}.kept-${count}`;
    if (!(await lstat(name).catch(ignoreMissing))) return name;
  }
}
