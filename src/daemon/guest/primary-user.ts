import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { Site } from "../sites/site.ts";
import { AccountDatabase } from "./account-database.ts";
import { readAccountFiles, replaceAccountFiles } from "./account-files.ts";
import type { PasswdEntry } from "./account-formats.ts";
import { type AddedAccounts, addAccounts, PRIMARY_UID } from "./add-accounts.ts";
import { checkFolder, makeFolder } from "./container-files.ts";
import { checkHome, checkNewHome, ensureHome } from "./home-directory.ts";
import { displayText } from "./lossless-text.ts";

/** How often the files may change while we are about to, before we give up. */
const MAX_ATTEMPTS = 10;

/** The person of a container; undefined if it has none yet. Throws `failed` for files that are not valid. */
export async function findPrimaryUser(files: FileSession, now: number): Promise<PasswdEntry | undefined> {
  return new AccountDatabase(await readAccountFiles(files), now).userByUid(PRIMARY_UID);
}

export interface UserSpec {
  /** Who the person is to be, checked by checkUserName; who is there already stays. */
  readonly name: string;
  readonly users: Site["users"];
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly log: Logger;
  /** Told who the person is as soon as that is known. */
  readonly onNameKnown: (name: string) => void;
}

/**
 * Makes sure of the person of a container, of the helper users of the site, of their groups and memberships, of a
 * home and of lingering. Nothing that is there is removed or given to somebody else: what stands in the way is
 * named by an error before anything is written. A second call writes nothing.
 */
export async function ensurePrimaryUser(files: FileSession, wish: UserSpec): Promise<void> {
  const { primaryUser: person, reassignedHelpers: moved } = await ensureAccounts(files, wish);
  if (moved.length > 0) {
    wish.log.warn({ helpers: moved }, "the ids of the site are somebody else's: the helpers have others");
  }
  await ensureHome(files, person);
  await enableLinger(files, person.name);
}

async function ensureAccounts(files: FileSession, wish: UserSpec): Promise<AddedAccounts> {
  for (let tries = 0; tries < MAX_ATTEMPTS; tries++) {
    const read = await readAccountFiles(files);
    const accounts = new AccountDatabase(read, wish.now);
    const users = [...accounts.users];
    wish.onNameKnown(displayText(accounts.userByUid(PRIMARY_UID)?.name ?? wish.name));
    const added = addAccounts(accounts, wish.name, wish.users);
    const { primaryUser: person, isNew } = added;
    await checkHome(files, person);
    if (isNew) await checkNewHome(files, person, users);
    await checkLinger(files, person.name);
    const changes = accounts.changes();
    if (changes.length === 0 || (await replaceAccountFiles(files, read, changes))) return added;
  }
  throw new TremplinError(
    "failed",
    "something in the container changes its account files all the time: stop it, and try again",
  );
}

const LINGER_FOLDER = "/var/lib/systemd/linger";

/** Throws `failed` where `enableLinger` would: for a name that is no name of a file, or with something in its way. */
export async function checkLinger(files: FileSession, user: string): Promise<void> {
  // The name may be the container's word.
  if (!/^[^/\0]{1,255}$/.test(user) || user === "." || user === "..") {
    throw new TremplinError("failed", `the user name "${displayText(user)}" cannot be the name of a file`);
  }
  await checkFolder(files, LINGER_FOLDER);
}

/** Lets the services of a user run from the boot on, as `loginctl enable-linger` does. */
export async function enableLinger(files: FileSession, user: string): Promise<void> {
  await checkLinger(files, user);
  await makeFolder(files, LINGER_FOLDER);
  const path = `${LINGER_FOLDER}/${user}`;
  if (await files.lstat(path).catch(ifMissing)) return;
  await files.create(path, new Uint8Array(), { uid: 0, gid: 0, mode: 0o644 });
}
