import { constants, type FileHandle, open, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import { O_PATH } from "../../base/files/files.ts";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

/** The absolute path of a request's file: relative paths start in the shared folder (docs/contract.md#paths). */
export function resolveShared(shared: string, path: string): string {
  if (path === "") throw new TremplinError("invalid", "the path of the file is missing");
  return path.startsWith("/") ? path : join(shared, path);
}

/**
 * Opens a regular file that is under the shared folder after all symbolic links are resolved. Checks what a reference
 * leads to before it opens that, so nothing can change between the check and the use, and no device or pipe is opened.
 */
export async function openSharedFile(shared: string, path: string): Promise<FileHandle> {
  if (!path.startsWith("/")) throw new TremplinError("invalid", `${path} is not an absolute path`);
  const fail = (error: unknown): never => {
    throw new TremplinError("invalid", `cannot open ${path}: ${systemErrorText(error)}`, error);
  };
  await using reference = await open(path, O_PATH).catch(fail);
  const own = `/proc/self/fd/${reference.fd}`;
  const [actual, folder] = await Promise.all([readlink(own), realpath(shared)]);
  if (!actual.startsWith(`${folder}/`)) {
    throw new TremplinError("invalid", `${path} does not lie under the shared folder ${shared}`);
  }
  if (!(await reference.stat()).isFile()) throw new TremplinError("invalid", `${path} is not a regular file`);
  return await open(own, constants.O_RDONLY).catch(fail);
}
