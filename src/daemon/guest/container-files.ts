import { posix } from "node:path";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession, NodeOwner } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";

/**
 * Whether a directory exists in a container; links are followed. `unreachable`: it, or a parent, is a dangling link,
 * for instance to a disk that is not mounted now.
 */
export type FolderState = "exists" | "missing" | "unreachable";

/** Throws `failed` if the path is something else than a directory. */
export async function folderState(files: FileSession, path: string): Promise<FolderState> {
  if (path === "/") return "exists";
  const above = await folderState(files, posix.dirname(path));
  if (above !== "exists") return above;
  const there = await files.lstat(path).catch(ifMissing);
  if (!there) return "missing";
  const { type } =
    there.type === "symlink" ? ((await files.stat(path).catch(ifInaccessible)) ?? there) : there;
  if (type === "directory") return "exists";
  if (type === "symlink") return "unreachable";
  const kind = type === "file" ? "file" : "special file";
  const advice = "move it out of the way in the container";
  throw new TremplinError("failed", `${path} in the container is a ${kind}, not a directory: ${advice}`);
}

/** Creates a directory in a container and its missing parents; new ones are owned by root, mode 0755. */
export async function makeFolder(files: FileSession, path: string): Promise<void> {
  await checkFolder(files, path);
  await makeMissing(files, path);
}

/** Throws `failed` if `makeFolder` could not create the directory. */
export async function checkFolder(files: FileSession, path: string): Promise<void> {
  if ((await folderState(files, path)) !== "unreachable") return;
  throw new TremplinError(
    "failed",
    `${path} in the container is or lies behind a link that leads nowhere: correct the link in the container`,
  );
}

async function makeMissing(files: FileSession, path: string): Promise<void> {
  if ((await folderState(files, path)) === "exists") return;
  await makeMissing(files, posix.dirname(path));
  await files.mkdir(path, { uid: 0, gid: 0, mode: 0o755 });
}

/** For catch: turns into undefined that nothing is there, or that it cannot be accessed, like a loop of links. */
export function ifInaccessible(error: unknown): undefined {
  const { code } = TremplinError.from(error);
  if (code !== "not-found" && code !== "failed") throw error;
  return undefined;
}

/** Whether a path in a container leads to a file that can be executed. */
export async function isProgram(files: FileSession, path: string): Promise<boolean> {
  const found = await files.stat(path).catch(ifInaccessible);
  return found?.type === "file" && (found.mode & 0o111) !== 0;
}

/** Writes a file in a container; atomically replaces an existing file or link. */
export async function replaceFile(
  files: FileSession,
  path: string,
  content: Uint8Array,
  owner: NodeOwner,
): Promise<void> {
  await replaceNode(files, path, (temporary) => files.create(temporary, content, owner));
}

/** Creates a link in a container; atomically replaces an existing file or link. */
export async function replaceLink(files: FileSession, path: string, target: string): Promise<void> {
  await replaceNode(files, path, (temporary) => files.symlink(temporary, target));
}

/**
 * The regular file that a path in a container leads to, so that replacing the file keeps the links; the path itself if
 * it does not lead to a regular file.
 */
export async function resolveFileLinks(files: FileSession, path: string): Promise<string> {
  if ((await files.stat(path).catch(ifMissing))?.type !== "file") return path;
  return (await linksOf(files, path)).at(-1) ?? path;
}

/** The path of something that exists, and each path that its links lead to, in order. */
export async function linksOf(files: FileSession, path: string): Promise<readonly string[]> {
  const places = [path];
  for (let at = path; places.length <= MAX_LINKS && (await files.lstat(at)).type === "symlink"; ) {
    const target = await files.readlink(at);
    // Not normalized: only the container can resolve .. after a link.
    at = posix.isAbsolute(target) ? target : `${posix.dirname(at)}/${target}`;
    places.push(at);
  }
  return places;
}

/** The kernel's limit (path_resolution(7)). */
const MAX_LINKS = 40;

/** Where a new file is written before it replaces `path`. The suffix is fixed: a retry removes the file. */
export function temporaryPath(path: string): string {
  return `${path}.tremplin`;
}

async function replaceNode(
  files: FileSession,
  path: string,
  make: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = temporaryPath(path);
  await files.remove(temporary).catch(ifMissing);
  try {
    await make(temporary);
    await files.rename(temporary, path);
  } catch (error) {
    await files.remove(temporary).catch(() => undefined);
    throw error;
  }
}
