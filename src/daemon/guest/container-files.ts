import { posix } from "node:path";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession, NodeOwner } from "../../engine/files/file-session.ts";
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
  const { type } = there.type === "symlink" ? ((await followLink(files, path)) ?? there) : there;
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
async function followLink(files: FileSession, path: string) {
  try {
    return await files.stat(path);
  } catch (error) {
    const { code } = TremplinError.from(error);
    if (code === "not-found" || code === "failed") return undefined;
    throw error;
  }
}

/** Puts a file at a path of a container, at once in the place of a file or link that is there. */
export async function replaceFile(
  files: FileSession,
  path: string,
  content: Uint8Array,
  owner: NodeOwner,
): Promise<void> {
  await replaceNode(files, path, (fresh) => files.create(fresh, content, owner));
}

/** Puts a link at a path of a container, in the same way. */
export async function replaceLink(files: FileSession, path: string, target: string): Promise<void> {
  await replaceNode(files, path, (fresh) => files.symlink(fresh, target));
}

/**
 * The plain file that a path of a container leads to, links followed, so that replacing it leaves the links; the path
 * itself where it leads to none.
 */
export async function resolveFileLinks(files: FileSession, path: string): Promise<string> {
  if ((await files.stat(path).catch(ifMissing))?.type !== "file") return path;
  let at = path;
  for (let count = 0; count < MAX_LINKS && (await files.lstat(at)).type === "symlink"; count++) {
    const target = await files.readlink(at);
    // Not normalised: what .. means behind a link only the container knows.
    at = posix.isAbsolute(target) ? target : `${posix.dirname(at)}/${target}`;
  }
  return at;
}

/** As many as the kernel follows (path_resolution(7)). */
const MAX_LINKS = 40;

/** The name under which the new one is made. */
export function temporaryPath(path: string): string {
  return `${path}.tremplin`;
}

async function replaceNode(
  files: FileSession,
  path: string,
  make: (fresh: string) => Promise<void>,
): Promise<void> {
  const fresh = temporaryPath(path);
  await files.remove(fresh).catch(ifMissing);
  try {
    await make(fresh);
    await files.rename(fresh, path);
  } catch (error) {
    await files.remove(fresh).catch(() => undefined);
    throw error;
  }
}

/** How much may still be copied or removed: whoever made the tree may have made it endless. */
export interface TreeBudget {
  files: number;
  bytes: number;
}

/**
 * Copies what is in a directory of a container into another one: modes are kept, links stay links, special files
 * are skipped, and all but the links belongs to the owner. Throws `failed` where the allowance ends.
 */
export async function copyTree(
  files: FileSession,
  from: string,
  to: string,
  owner: { readonly uid: number; readonly gid: number },
  allowance: TreeBudget,
): Promise<void> {
  for (const { name, type, mode } of await listEntries(files, from, allowance)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    if (type === "directory") {
      await files.mkdir(target, { ...owner, mode });
      await copyTree(files, source, target, owner, allowance);
    } else if (type === "symlink") {
      await files.symlink(target, await files.readlink(source));
    } else if (type === "file") {
      const content = await files.read(source, allowance.bytes);
      allowance.bytes -= content.length;
      await files.create(target, content, { ...owner, mode });
    }
  }
}

/** Removes whatever lies at a path, links not followed; nothing there is fine. */
export async function removeTree(files: FileSession, path: string, allowance: TreeBudget): Promise<void> {
  const there = await files.lstat(path).catch(ifMissing);
  if (!there) return;
  if (there.type !== "directory") return files.remove(path);
  for (const { name } of await listEntries(files, path, allowance)) {
    await removeTree(files, `${path}/${name}`, allowance);
  }
  await files.rmdir(path);
}

async function listEntries(files: FileSession, path: string, allowance: TreeBudget) {
  const entries = await files.list(path, allowance.files);
  allowance.files -= entries.length;
  if (allowance.files > 0) return entries;
  throw new TremplinError("failed", `${path} in the container holds too many files`);
}
