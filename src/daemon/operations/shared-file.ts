import { constants, type FileHandle, open, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/** The absolute path of a request's file: relative paths start in the shared folder (docs/contract.md#paths). */
export function resolveShared(shared: string, path: string): string {
  if (path === "") throw new TremplinError("invalid", "the path of the file is missing");
  return path.startsWith("/") ? path : join(shared, path);
}

/**
 * Opens a regular file that is under the shared folder after all symbolic links are resolved. Checks the path of the
 * opened file, so nothing can change between the check and the use.
 */
export async function openSharedFile(shared: string, path: string): Promise<FileHandle> {
  if (!path.startsWith("/")) throw new TremplinError("invalid", `${path} is not an absolute path`);
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error) => {
    throw new TremplinError("invalid", `cannot open ${path}: ${systemErrorText(error)}`, error);
  });
  try {
    const [actual, folder] = await Promise.all([readlink(`/proc/self/fd/${file.fd}`), realpath(shared)]);
    if (!actual.startsWith(`${folder}/`)) {
      throw new TremplinError("invalid", `${path} does not lie under the shared folder ${shared}`);
    }
    if (!(await file.stat()).isFile()) throw new TremplinError("invalid", `${path} is not a regular file`);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
