import { constants } from "node:fs";
import { delimiter, join } from "node:path";
import { canAccess } from "../files/files.ts";

/** Programs of administrators, which the PATH of an ordinary user may not include. */
const SYSTEM_FOLDERS = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** The folders of the PATH of this process, and then those of the system's programs. */
export const searchPath: readonly string[] = [
  ...(process.env.PATH ?? "").split(delimiter),
  ...SYSTEM_FOLDERS,
];

/** The path of a program in the first of the folders that has it; undefined if none has it. */
export async function findExecutable(
  name: string,
  folders: readonly string[] = searchPath,
): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name);
    if (await canAccess(path, constants.X_OK)) return path;
  }
  return undefined;
}
