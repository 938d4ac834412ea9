import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execute } from "./system-state.ts";

/**
 * Makes files in a folder that lets nobody make or rename any, as where a host shares single files: the folder is
 * mounted read-only, each file over itself for writing. Disposing takes the mounts away.
 */
export async function shareSingleFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  const mount = async (path: string): Promise<void> => {
    await execute("mount", ["--bind", path, path]);
    undo.defer(async () => {
      await execute("umount", [path]);
    });
  };
  await mkdir(folder);
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  await mount(folder);
  for (const name of Object.keys(files)) await mount(join(folder, name));
  await execute("mount", ["-o", "remount,ro,bind", folder]);
  return undo.move();
}
