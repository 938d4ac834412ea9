import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** Where programs of this machine lie, the administrator's too. */
export const searchPath = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/bin"];

/** The absolute path of a program, if one of the folders has it. */
export async function findExecutable(
  name: string,
  folders: readonly string[] = searchPath,
): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}
