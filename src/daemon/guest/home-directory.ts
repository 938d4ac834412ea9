import { posix } from "node:path";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { PasswdEntry } from "./account-formats.ts";
import { copyTree, folderState, makeFolder, removeTree } from "./container-files.ts";

const SKELETON = "/etc/skel";
/** Far more than any skeleton contains. */
const SKELETON_BUDGET = { files: 1_000, bytes: 16 * 1024 * 1024 };
const ROOT = 0;
/** Also the owner of files whose id the container does not map. */
const NOBODY = 65534;

/** Throws if a user's home is neither a directory nor a link. */
export async function checkHome(files: FileSession, { home }: PasswdEntry): Promise<void> {
  const path = homePath(home);
  if (path) await folderState(files, path);
}

/** Throws `exists` if the home of a new user belongs to another of these users. */
export async function checkNewHome(
  files: FileSession,
  newUser: PasswdEntry,
  users: readonly PasswdEntry[],
): Promise<void> {
  if ((await folderState(files, newUser.home)) !== "exists") return;
  const { uid } = await files.stat(newUser.home);
  if (uid === ROOT || uid === NOBODY || uid === newUser.uid) return;
  if (!users.some((user) => user.uid === uid)) return;
  throw new TremplinError(
    "exists",
    `${newUser.home} in the container belongs to uid ${uid}: choose another name, or move it away`,
  );
}

/**
 * Creates the home of a user if it does not exist: a copy of /etc/skel that appears complete or not at all. Does
 * nothing if the user's entry has no usable home, or if the home is or lies behind a dangling link.
 */
export async function ensureHome(files: FileSession, user: PasswdEntry): Promise<void> {
  const { uid, gid } = user;
  const home = homePath(user.home);
  if (!home || (await folderState(files, home)) !== "missing") return;
  const fresh = posix.join(posix.dirname(home), `.${posix.basename(home)}.tremplin`);
  await makeFolder(files, posix.dirname(home));
  await removeTree(files, fresh, { ...SKELETON_BUDGET });
  // Closed until it is complete: programs of the user may already run.
  await files.mkdir(fresh, { uid: 0, gid: 0, mode: 0o700 });
  try {
    const skeleton = await files.stat(SKELETON).catch(ifMissing);
    if (skeleton?.type === "directory") {
      await copyTree(files, SKELETON, fresh, { uid, gid }, { ...SKELETON_BUDGET });
    }
    await files.setOwner(fresh, { uid, gid, mode: 0o755 });
    // Fails if something appeared there meanwhile, except an empty directory.
    await files.rename(fresh, home);
  } catch (error) {
    await removeTree(files, fresh, { ...SKELETON_BUDGET }).catch(() => undefined);
    throw error;
  }
}

/** A normalized absolute path; undefined if it is none, or means that the user has no home. */
function homePath(home: string): string | undefined {
  const path = home.replace(/(?<=[^/])\/$/, "");
  const isPath = posix.isAbsolute(path) && posix.normalize(path) === path && path.length < MAX_PATH_LENGTH;
  return isPath && !NO_HOMES.has(path) ? path : undefined;
}

const MAX_PATH_LENGTH = 4096;
const NO_HOMES = new Set(["/", "/nonexistent", "/dev/null"]);
