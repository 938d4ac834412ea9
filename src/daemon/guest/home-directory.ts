import { posix } from "node:path";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { PasswdEntry } from "./account-formats.ts";
import { copyTree, folderState, makeFolder, removeTree } from "./container-files.ts";

const SKELETON = "/etc/skel";
/** Far more than any skeleton holds. */
const SKELETON_BUDGET = { files: 1_000, bytes: 16 * 1024 * 1024 };
const ROOT = 0;
/** Also whoever is unknown to the container. */
const NOBODY = 65534;

/** Throws where a person cannot have a home since something else than a directory, or a link, is at its place. */
export async function checkHome(files: FileSession, { home }: PasswdEntry): Promise<void> {
  const place = homePath(home);
  if (place) await folderState(files, place);
}

/** Throws, as `exists`, where a new person's home would be a directory of another of these users. */
export async function checkNewHome(
  files: FileSession,
  person: PasswdEntry,
  users: readonly PasswdEntry[],
): Promise<void> {
  if ((await folderState(files, person.home)) !== "there") return;
  const { uid } = await files.stat(person.home);
  if (uid === ROOT || uid === NOBODY || uid === person.uid) return;
  if (!users.some((user) => user.uid === uid)) return;
  throw new TremplinError(
    "exists",
    `${person.home} in the container belongs to uid ${uid}: choose another name, or move it away`,
  );
}

/**
 * Makes sure that a person has a home: whatever is at its place stays as it is. A new one is a copy of /etc/skel
 * that appears whole or not at all. A user whose entry names no place for a home, or one behind a link that leads
 * nowhere now, gets none.
 */
export async function ensureHome(files: FileSession, person: PasswdEntry): Promise<void> {
  const { uid, gid } = person;
  const home = homePath(person.home);
  if (!home || (await folderState(files, home)) !== "missing") return;
  const fresh = posix.join(posix.dirname(home), `.${posix.basename(home)}.tremplin`);
  await makeFolder(files, posix.dirname(home));
  await removeTree(files, fresh, { ...SKELETON_BUDGET });
  // Nobody can reach into it until it is done: what it holds may belong to somebody who already runs.
  await files.mkdir(fresh, { uid: 0, gid: 0, mode: 0o700 });
  try {
    const skeleton = await files.stat(SKELETON).catch(ifMissing);
    if (skeleton?.type === "directory") {
      await copyTree(files, SKELETON, fresh, { uid, gid }, { ...SKELETON_BUDGET });
    }
    await files.setOwner(fresh, { uid, gid, mode: 0o755 });
    // Fails on anything that came to lie there meanwhile, except an empty directory.
    await files.rename(fresh, home);
  } catch (error) {
    await removeTree(files, fresh, { ...SKELETON_BUDGET }).catch(() => undefined);
    throw error;
  }
}

/** An absolute path without detours; undefined for one that says that there is no home. */
function homePath(home: string): string | undefined {
  const path = home.replace(/(?<=[^/])\/$/, "");
  const isPath = posix.isAbsolute(path) && posix.normalize(path) === path && path.length < MAX_PATH_LENGTH;
  return isPath && !NO_HOMES.has(path) ? path : undefined;
}

const MAX_PATH_LENGTH = 4096;
const NO_HOMES = new Set(["/", "/nonexistent", "/dev/null"]);
