import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { Site } from "../sites/site.ts";
import { AccountDatabase, findUid, parsePasswd } from "./account-database.ts";
import { prepareReplacements, readAccountFiles, readPasswd, replaceAccountFiles } from "./account-files.ts";
import type { PasswdEntry } from "./account-formats.ts";
import { type AddedAccounts, addAccounts, PRIMARY_UID } from "./add-accounts.ts";
import { checkFolder, makeFolder } from "./container-files.ts";
import { checkHome, checkNewHome, stageHome } from "./home-directory.ts";
import { chooseLoginShell } from "./login-shell.ts";
import { displayText } from "./lossless-text.ts";
import { findNoRootAccess } from "./root-access.ts";

/** How often the account files may change concurrently before the call fails. */
const MAX_ATTEMPTS = 10;

/**
 * The primary user of a container; undefined if it has none yet. Throws `failed` if the line of that user is not
 * valid, and says what is wrong with it.
 */
export async function findPrimaryUser(files: FileSession): Promise<PasswdEntry | undefined> {
  return findUid(parsePasswd(await readPasswd(files)), PRIMARY_UID);
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
 * lingering. Removes nothing and gives nothing to another account: a conflict throws before anything is written, and
 * whatever else can fail does so before the accounts change. A second call writes nothing. Returns sentences about
 * what the person should know.
 */
export async function ensurePrimaryUser(files: FileSession, spec: UserSpec): Promise<string[]> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const notes = await tryToEnsure(files, spec);
    if (notes) return notes;
  }
  throw new TremplinError(
    "failed",
    "a program in the container keeps changing its account files: stop it, and try again",
  );
}

/** Undefined if the account files changed meanwhile. */
async function tryToEnsure(files: FileSession, spec: UserSpec): Promise<string[] | undefined> {
  const read = await readAccountFiles(files);
  const accounts = new AccountDatabase(read, spec.now);
  logProblems(accounts.problems, spec.log);
  const { primaryUser, reassignedHelpers } = await addCheckedAccounts(files, accounts, spec);
  const replacements = await prepareReplacements(files, accounts.changes());
  await using home = await stageHome(files, primaryUser);
  await using lingering = await stageLinger(files, primaryUser.name);
  const notes = await notesOf(files, accounts, primaryUser, home?.unreadable ?? 0);
  if (!(await replaceAccountFiles(files, read, replacements))) return undefined;
  lingering.keep();
  await home?.publish();
  if (reassignedHelpers.length > 0) {
    spec.log.warn(
      { helpers: reassignedHelpers },
      "other accounts have the site's ids of these helpers, so they got free ids",
    );
  }
  return notes;
}

function logProblems(problems: readonly string[], log: Logger): void {
  if (problems.length === 0) return;
  log.info({ problems: problems.slice(0, 10) }, "lines of account files are not valid and stay as they are");
}

/** Adds the accounts to the database. Throws if they, their home or their lingering are in conflict with something. */
async function addCheckedAccounts(
  files: FileSession,
  accounts: AccountDatabase,
  spec: UserSpec,
): Promise<AddedAccounts> {
  const users = [...accounts.users];
  const known = accounts.userByUid(PRIMARY_UID);
  spec.onNameKnown(displayText(known?.name ?? spec.name));
  const rootShell = users.find(({ uid }) => uid === 0)?.shell ?? "";
  const shell = known ? known.shell : await chooseLoginShell(files, rootShell);
  const added = addAccounts(accounts, { name: spec.name, shell }, spec.users);
  await checkHome(files, added.primaryUser);
  if (added.isNew) await checkNewHome(files, added.primaryUser, users);
  await checkLinger(files, added.primaryUser.name);
  return added;
}

/** What the person should know about the new or found account. */
async function notesOf(
  files: FileSession,
  accounts: AccountDatabase,
  user: PasswdEntry,
  unreadable: number,
): Promise<string[]> {
  const root = accounts.users.find(({ uid }) => uid === 0);
  const person = {
    name: user.name,
    groups: accounts.groupsOf(user),
    hasPassword: accounts.hasPassword(user),
  };
  const rootHasPassword = root !== undefined && accounts.hasPassword(root);
  const noRoot = await findNoRootAccess(files, person, rootHasPassword);
  const left =
    unreadable > 0 ? `${unreadable} files of /etc/skel cannot be read and are not in the new home` : "";
  return [noRoot ?? "", left].filter((note) => note !== "");
}

const LINGER_FOLDER = "/var/lib/systemd/linger";

/** Throws `failed` if `stageLinger` would: the name cannot be a file name, or the folder cannot be created. */
async function checkLinger(files: FileSession, user: string): Promise<void> {
  // The name may come from the container.
  if (!/^[^/\0]{1,255}$/.test(user) || user === "." || user === "..") {
    throw new TremplinError("failed", `the user name "${displayText(user)}" cannot be a file name`);
  }
  await checkFolder(files, LINGER_FOLDER);
}

/**
 * Lets the services of a user start at boot, as `loginctl enable-linger` does. Removed again when disposed, unless it
 * is to be kept.
 */
async function stageLinger(
  files: FileSession,
  user: string,
): Promise<AsyncDisposable & { readonly keep: () => void }> {
  await checkLinger(files, user);
  await makeFolder(files, LINGER_FOLDER);
  const path = `${LINGER_FOLDER}/${user}`;
  let isKept = (await files.lstat(path).catch(ifMissing)) !== undefined;
  if (!isKept) await files.create(path, new Uint8Array(), { uid: 0, gid: 0, mode: 0o644 });
  return {
    keep: () => {
      isKept = true;
    },
    [Symbol.asyncDispose]: async () => {
      if (!isKept) await files.remove(path).catch(() => undefined);
    },
  };
}
