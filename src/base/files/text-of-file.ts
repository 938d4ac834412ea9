import { readFile } from "node:fs/promises";

/** The text of a file; undefined where there is none. Every other error than that stays an error. */
export async function textOfFile(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}
