import { constants } from "node:fs";
import { delimiter, join } from "node:path";
import { canAccess } from "../files/can-access.ts";

/** Where administrators' programs live; Incus keeps its daemon out of the PATH (engines.md 1). */
const FOLDERS = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/libexec/incus"];

/** The PATH of this process and where administrators' programs live, whoever started it. */
export const searchPath: readonly string[] = [...(process.env.PATH ?? "").split(delimiter), ...FOLDERS];

/** The path of a program, the first found; undefined when none of the folders has it. */
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
