import { posix } from "node:path";
import { TimeLimit } from "../../base/async/time-limit.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { PasswdEntry } from "./account-formats.ts";
import { folderState, makeFolder } from "./container-files.ts";
import {
  copyTree,
  listTree,
  MAX_PATH_LENGTH,
  NOBODY,
  removeTree,
  type TreeLimits,
  type TreeNode,
} from "./container-trees.ts";

const SKELETON = "/etc/skel";
/** As much as can be copied in the time that a request has. */
const SKELETON_LIMITS: TreeLimits = { files: 10_000, bytes: 64 * 1024 * 1024 };
/** An earlier daemon may have been killed anywhere in a copy. */
const REMOVAL_LIMITS: TreeLimits = { files: 20_000, bytes: Number.MAX_SAFE_INTEGER };
/** Leaves time to remove an unfinished copy before the request must be answered. */
const COPY_TIME_LIMIT_MS = 6_000;
const ROOT = 0;

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
 * A home in the making: a copy of /etc/skel under a temporary name. All that can fail for its size is done before
 * accounts are changed. Disposing it without publishing it removes it.
 */
export interface StagedHome extends AsyncDisposable {
  /** How many files of /etc/skel could not be read, and are not in it. */
  readonly unreadable: number;
  /** Gives it to its user under its name, unless something has appeared there meanwhile. */
  publish(): Promise<void>;
}

/**
 * Makes the home of a user if it does not exist. Undefined if the user's entry has no usable home, or if the home
 * exists or is or lies behind a dangling link.
 */
export async function stageHome(files: FileSession, user: PasswdEntry): Promise<StagedHome | undefined> {
  const { uid, gid } = user;
  const home = homePath(user.home);
  if (!home || (await folderState(files, home)) !== "missing") return undefined;
  const skeleton = await listSkeleton(files);
  const fresh = posix.join(posix.dirname(home), `.${posix.basename(home)}.tremplin`);
  await makeFolder(files, posix.dirname(home));
  await removeTree(files, fresh, REMOVAL_LIMITS);
  using limit = new TimeLimit(COPY_TIME_LIMIT_MS, tooSlow, []);
  const copy = { from: SKELETON, to: fresh, owner: { uid, gid }, signal: limit.signal };
  const discard = () => removeTree(files, fresh, REMOVAL_LIMITS).catch(() => undefined);
  // Closed until it is complete: programs of the user may already run.
  await files.mkdir(fresh, { uid: ROOT, gid: 0, mode: 0o700 });
  try {
    const unreadable = await copyTree(files, skeleton, copy);
    return {
      unreadable,
      publish: async () => {
        await files.setOwner(fresh, { uid, gid, mode: 0o755 });
        // Fails if something appeared there meanwhile, except an empty directory.
        await files.rename(fresh, home).catch(async (error) => {
          if (!(await files.lstat(home).catch(ifMissing))) throw error;
        });
      },
      [Symbol.asyncDispose]: discard,
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

async function listSkeleton(files: FileSession): Promise<TreeNode[]> {
  const skeleton = await files.stat(SKELETON).catch(ifMissing);
  if (skeleton?.type !== "directory") return [];
  try {
    return await listTree(files, SKELETON, SKELETON_LIMITS);
  } catch (error) {
    const { code, message } = TremplinError.from(error);
    throw new TremplinError(code, `${SKELETON} cannot be copied for a new home: ${message}`, error);
  }
}

function tooSlow(): TremplinError {
  const seconds = COPY_TIME_LIMIT_MS / 1000;
  return new TremplinError(
    "failed",
    `${SKELETON} cannot be copied for a new home within ${seconds} s: make it smaller in the container`,
  );
}

/** A normalized absolute path; undefined if it is none, or means that the user has no home. */
function homePath(home: string): string | undefined {
  const path = home.replace(/(?<=[^/])\/$/, "");
  const isPath = posix.isAbsolute(path) && posix.normalize(path) === path && path.length < MAX_PATH_LENGTH;
  return isPath && !NO_HOMES.has(path) ? path : undefined;
}

const NO_HOMES = new Set(["/", "/nonexistent", "/dev/null"]);
