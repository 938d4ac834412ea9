import { mkdir, truncate, writeFile } from "node:fs/promises";
import { execute } from "./system-state.ts";

/** Mounts a file system of so many bytes, in a file beside it, at a folder that is made. Disposing unmounts it. */
export async function smallDisk(folder: string, bytes: number): Promise<AsyncDisposable> {
  const image = `${folder}.img`;
  await writeFile(image, "");
  await truncate(image, bytes);
  await execute("mkfs.ext4", ["-q", "-m", "0", image]);
  await mkdir(folder);
  await execute("mount", ["-o", "loop", image, folder]);
  return {
    async [Symbol.asyncDispose]() {
      await execute("umount", [folder]);
    },
  };
}
