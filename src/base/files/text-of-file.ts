import { readFile } from "node:fs/promises";

/** The text of a file; undefined when it does not exist. Throws when it cannot be read for another reason. */
export async function textOfFile(path: string): Promise<string | undefined> {
  return await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

/**
 * The text of a file; "" when it cannot be read for any reason. For files of the kernel about processes and devices,
 * which fail in many ways once those are gone, and for texts that are optional.
 */
export async function textIfReadable(path: string, encoding: "utf8" | "latin1" = "utf8"): Promise<string> {
  return await readFile(path, encoding).catch(() => "");
}
