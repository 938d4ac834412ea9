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

/** How often the account files may change concurrently before the call fails. */
const MAX_ATTEMPTS = 10;

/** The primary user of a container; undefined if it has none yet. Throws `failed` for malformed account files. */
export async function findPrimaryUser(files: FileSession, now: number): Promise<PasswdEntry | undefined> {
  return new AccountDatabase(await readAccountFiles(files), now).userByUid(PRIMARY_UID);
}

export interface UserSpec {
  /** The name for a new primary user, checked by checkUserName. An existing primary user keeps its name. */
  readonly name: string;
  readonly users: Site["users"];
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly log: Logger;
  /** Called with the name of the primary user as soon as it is known. */
  readonly onNameKnown: (name: string) => void;
}

/**
 * Creates the missing parts of the primary user: the account, the site's helper users, groups, memberships, home and
 * lingering. Removes nothing and gives nothing to another account: a conflict throws before anything is written. A
 * second call writes nothing.
 */
export async function ensurePrimaryUser(files: FileSession, spec: UserSpec): Promise<void> {
  const { primaryUser, reassignedHelpers } = await ensureAccounts(files, spec);
  if (reassignedHelpers.length > 0) {
    spec.log.warn(
      { helpers: reassignedHelpers },
      "other accounts have the site's ids of these helpers, so they got free ids",
    );
  }
  await ensureHome(files, primaryUser);
  await enableLinger(files, primaryUser.name);
}

async function ensureAccounts(files: FileSession, spec: UserSpec): Promise<AddedAccounts> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const read = await readAccountFiles(files);
    const accounts = new AccountDatabase(read, spec.now);
    const users = [...accounts.users];
    spec.onNameKnown(displayText(accounts.userByUid(PRIMARY_UID)?.name ?? spec.name));
    const added = addAccounts(accounts, spec.name, spec.users);
    const { primaryUser, isNew } = added;
    await checkHome(files, primaryUser);
    if (isNew) await checkNewHome(files, primaryUser, users);
    await checkLinger(files, primaryUser.name);
    const changes = accounts.changes();
    if (changes.length === 0 || (await replaceAccountFiles(files, read, changes))) return added;
  }
  throw new TremplinError(
    "failed",
    "a program in the container keeps changing its account files: stop it, and try again",
  );
}

const LINGER_FOLDER = "/var/lib/systemd/linger";

/** Throws `failed` if `enableLinger` would: the name cannot be a file name, or the folder cannot be created. */
async function checkLinger(files: FileSession, user: string): Promise<void> {
  // The name may come from the container.
  if (!/^[^/\0]{1,255}$/.test(user) || user === "." || user === "..") {
    throw new TremplinError("failed", `the user name "${displayText(user)}" cannot be a file name`);
  }
  await checkFolder(files, LINGER_FOLDER);
}

/** Lets the services of a user start at boot, as `loginctl enable-linger` does. */
async function enableLinger(files: FileSession, user: string): Promise<void> {
  await checkLinger(files, user);
  await makeFolder(files, LINGER_FOLDER);
  const path = `${LINGER_FOLDER}/${user}`;
  if (await files.lstat(path).catch(ifMissing)) return;
  await files.create(path, new Uint8Array(), { uid: 0, gid: 0, mode: 0o644 });
}
