import { posix } from "node:path";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";

/**
 * What is at the place of a directory of a container, links followed. `unreachable`: it, or one above it, is a link
 * that leads nowhere now, for instance to a disk that is not mounted.
 */
export type FolderState = "there" | "missing" | "unreachable";

/** Throws `failed` where something else than a directory is in the way. */
export async function folderState(files: FileSession, path: string): Promise<FolderState> {
  if (path === "/") return "there";
  const above = await folderState(files, posix.dirname(path));
  if (above !== "there") return above;
  const there = await files.lstat(path).catch(ifMissing);
  if (!there) return "missing";
  const { type } = there.type === "symlink" ? ((await meaning(files, path)) ?? there) : there;
  if (type === "directory") return "there";
  if (type === "symlink") return "unreachable";
  const kind = type === "file" ? "file" : "special file";
  const advice = "move it out of the way in the container";
  throw new TremplinError("failed", `${path} in the container is a ${kind}, not a directory: ${advice}`);
}

/** Makes sure of a directory of a container and of those above it: new ones are root's, 0755. */
export async function makeFolder(files: FileSession, path: string): Promise<void> {
  await checkFolder(files, path);
  await makeMissing(files, path);
}

/** Throws `failed` where `makeFolder` could not make it, since something is in the way. */
export async function checkFolder(files: FileSession, path: string): Promise<void> {
  if ((await folderState(files, path)) !== "unreachable") return;
  throw new TremplinError(
    "failed",
    `${path} in the container is or lies behind a link that leads nowhere: correct the link in the container`,
  );
}

async function makeMissing(files: FileSession, path: string): Promise<void> {
  if ((await folderState(files, path)) === "there") return;
  await makeMissing(files, posix.dirname(path));
  await files.mkdir(path, { uid: 0, gid: 0, mode: 0o755 });
}

/** Undefined for a link to nothing, or round in a circle. */
async function meaning(files: FileSession, path: string) {
  try {
    return await files.stat(path);
  } catch (error) {
    const { code } = TremplinError.from(error);
    if (code === "not-found" || code === "failed") return undefined;
    throw error;
  }
}
