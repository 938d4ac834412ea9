import { posix } from "node:path";
import type { FileSession } from "../../engine/file-session.ts";
import { ifMissing } from "../../engine/if-missing.ts";
import { makeFolder } from "./make-folder.ts";
import type { PasswdEntry } from "./passwd.ts";
import { copyTree, removeTree } from "./tree.ts";

const SKELETON = "/etc/skel";
/** Far more than any skeleton holds. */
const mostOfSkeleton = { files: 1_000, bytes: 16 * 1024 * 1024 };

/**
 * Makes sure that a person has a home (behaviour.md 4.8): a directory, or a link to one in the container, is
 * left as it is; anything else at its place is removed. A new one is a copy of /etc/skel that appears whole or
 * not at all. A user whose entry names no place for a home gets none.
 */
export async function ensureHome(files: FileSession, { home, uid, gid }: PasswdEntry): Promise<void> {
  if (!isPlace(home) || (await isDirectory(files, home))) return;
  const fresh = posix.join(posix.dirname(home), `.${posix.basename(home)}.tremplin`);
  await makeFolder(files, posix.dirname(home));
  await removeTree(files, fresh, { ...mostOfSkeleton });
  // Nobody can reach into it until it is done: what it holds may belong to somebody who already runs.
  await files.mkdir(fresh, { uid: 0, gid: 0, mode: 0o700 });
  try {
    const skeleton = await files.stat(SKELETON).catch(ifMissing);
    if (skeleton?.type === "directory") {
      await copyTree(files, SKELETON, fresh, { uid, gid }, { ...mostOfSkeleton });
    }
    await files.setOwner(fresh, { uid, gid, mode: 0o755 });
    await files.remove(home).catch(ifMissing);
    await files.rename(fresh, home);
  } catch (error) {
    await removeTree(files, fresh, { ...mostOfSkeleton }).catch(() => undefined);
    throw error;
  }
}

/** An absolute path without detours, and not one that says that there is no home. */
function isPlace(home: string): boolean {
  return posix.isAbsolute(home) && posix.normalize(home) === home && !noHomes.has(home);
}

const noHomes = new Set(["/", "/nonexistent", "/dev/null"]);

async function isDirectory(files: FileSession, path: string): Promise<boolean> {
  const { type } = (await files.lstat(path).catch(ifMissing)) ?? {};
  if (type !== "symlink") return type === "directory";
  // Where a link leads to nothing, or round in a circle, there is no directory.
  return (await files.stat(path).catch(() => undefined))?.type === "directory";
}
