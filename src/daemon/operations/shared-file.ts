import { constants, type FileHandle, open, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/** What a path of a request means: one that is not absolute lies in the shared folder (behaviour.md 5.10, 5.13). */
export function resolveShared(shared: string, path: string): string {
  if (path === "") throw new TremplinError("invalid", "the path of the file is missing");
  return path.startsWith("/") ? path : join(shared, path);
}

/**
 * Opens a regular file that lies under the shared folder, also after all symbolic links in its path: what was
 * opened is asked where it is, so nothing can change between the check and the use.
 */
export async function openSharedFile(shared: string, path: string): Promise<FileHandle> {
  if (!path.startsWith("/")) throw new TremplinError("invalid", `${path} is not an absolute path`);
  // O_NONBLOCK: a pipe in the place of the file must not make this wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error) => {
    throw new TremplinError("invalid", `cannot open ${path}: ${systemErrorText(error)}`, error);
  });
  try {
    const [where, folder] = await Promise.all([readlink(`/proc/self/fd/${file.fd}`), realpath(shared)]);
    if (!where.startsWith(`${folder}/`)) {
      throw new TremplinError("invalid", `${path} does not lie under the shared folder ${shared}`);
    }
    if (!(await file.stat()).isFile()) throw new TremplinError("invalid", `${path} is not a regular file`);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
