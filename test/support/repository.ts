import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The root of the checkout, also when the tests run from a bundle below it. */
export const repository = findRoot(import.meta.dirname);

function findRoot(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`no package.json above ${import.meta.dirname}`);
  return findRoot(parent);
}
