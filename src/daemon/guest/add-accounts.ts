import { posix } from "node:path";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Site } from "../sites/site.ts";
import type { AccountDatabase } from "./account-database.ts";
import type { PasswdEntry } from "./account-formats.ts";

/** The uid of the primary user, and the gid of the user's own group if it is free. */
export const PRIMARY_UID = 1000;
/** How many numbered names are tried if the name of a group is taken. */
const MAX_NUMBERED_NAMES = 1000;
const MAX_NAME_LENGTH = 32;

type Users = Site["users"];
type Helper = Users["helpers"][number];

export interface NewUser {
  /** Checked by checkUserName. */
  readonly name: string;
  /** The login shell. */
  readonly shell: string;
}

/** The accounts that were added or found. */
export interface AddedAccounts {
  readonly primaryUser: PasswdEntry;
  /** Whether the primary user was added. */
  readonly isNew: boolean;
  /** Names of helpers that could not have the site's id, because another account has it. */
  readonly reassignedHelpers: readonly string[];
}

/**
 * Adds the missing parts of the primary user, of the site's helper users, and of their groups and memberships. An
 * existing account with uid 1000 is the primary user; otherwise the name gets that uid. An id or group name that is
 * taken stays with its owner, and the new account gets a free one. Throws `exists` or `failed` if that is impossible,
 * also if the line of one of these accounts is not valid; the caller must write nothing then.
 */
export function addAccounts(accounts: AccountDatabase, newUser: NewUser, users: Users): AddedAccounts {
  const reserved = new Set([PRIMARY_UID, ...users.helpers.map(({ id }) => id)]);
  const known = accounts.userByUid(PRIMARY_UID);
  const primaryUser = known ?? addPrimaryUser(accounts, newUser, reserved);
  if (known) checkNameIsUnique(accounts, known);
  accounts.completeUser(primaryUser);
  ensurePrimaryGroup(accounts, primaryUser);
  const reassigned = users.helpers.filter((helper) => !ensureHelper(accounts, helper, reserved));
  joinGroups(accounts, primaryUser.name, users);
  return { primaryUser, isNew: !known, reassignedHelpers: reassigned.map((helper) => helper.name) };
}

function addPrimaryUser(
  accounts: AccountDatabase,
  { name, shell }: NewUser,
  reserved: ReadonlySet<number>,
): PasswdEntry {
  const other = accounts.userByName(name);
  if (other) {
    throw new TremplinError(
      "exists",
      `the account "${name}" has the uid ${other.uid} in the container, and its primary user must have ${PRIMARY_UID}: ` +
        `choose another name, or change that uid in the container (usermod -u ${PRIMARY_UID})`,
    );
  }
  const home = `/home/${name}`;
  const resident = accounts.users.find((user) => posix.resolve("/", user.home) === home);
  if (resident) {
    const owner = Number.isNaN(resident.uid) ? "another account" : `uid ${resident.uid}`;
    throw new TremplinError(
      "exists",
      `${home} is the home of ${owner} in the container: choose another name, or change that home`,
    );
  }
  const isOwn = accounts.groupByGid(PRIMARY_UID)?.name === name || accounts.isFreeGid(PRIMARY_UID);
  const gid = isOwn ? PRIMARY_UID : accounts.freeId(reserved);
  return accounts.addUser({ name, uid: PRIMARY_UID, gid, gecos: name, home, shell });
}

/** Memberships refer to names: a second account with the same name would get them too. */
function checkNameIsUnique(accounts: AccountDatabase, primaryUser: PasswdEntry): void {
  const uid = accounts.userByName(primaryUser.name)?.uid;
  if (uid === PRIMARY_UID) return;
  throw new TremplinError(
    "failed",
    `the uids ${uid} and ${PRIMARY_UID} have the same name in the container: rename one of them in /etc/passwd`,
  );
}

/** A gid that other users share keeps having no name. */
function ensurePrimaryGroup(accounts: AccountDatabase, { name, gid }: PasswdEntry): void {
  const known = accounts.groupByGid(gid);
  if (known) accounts.completeGroup(known);
  else if (accounts.isFreeGid(gid, name)) accounts.addGroup(freeGroupName(accounts, name), gid);
}

/** The name itself, or a numbered one: anna-1000. */
function freeGroupName(accounts: AccountDatabase, name: string): string {
  if (accounts.isFreeGroupName(name)) return name;
  for (let number = PRIMARY_UID; number < PRIMARY_UID + MAX_NUMBERED_NAMES; number++) {
    const numbered = `${name.slice(0, MAX_NAME_LENGTH - 5)}-${number}`;
    if (accounts.isFreeGroupName(numbered)) return numbered;
  }
  throw new TremplinError(
    "exists",
    "every name for the own group of the primary user is taken in the container",
  );
}

/** False if a new helper could not have its id. */
function ensureHelper(
  accounts: AccountDatabase,
  { name, id }: Helper,
  reserved: ReadonlySet<number>,
): boolean {
  const user = accounts.userByName(name);
  const group = accounts.groupByName(name);
  const gid = chooseHelperGid(accounts, { name, id }) ?? accounts.freeId(reserved);
  const uid = user?.uid ?? (accounts.isFreeUid(id) ? id : accounts.freeId(reserved));
  if (group) accounts.completeGroup(group);
  else {
    if (!accounts.isFreeGroupName(name)) throw orphanedGroupSecret(name);
    accounts.addGroup(name, gid);
  }
  if (user) accounts.completeUser(user);
  else accounts.addUser({ name, uid, gid, gecos: name, home: "/dev/null", shell: "/bin/false" });
  return (user !== undefined || uid === id) && (group !== undefined || gid === id);
}

/** Undefined if the helper needs a free gid, so that it shares no group with other accounts. */
function chooseHelperGid(accounts: AccountDatabase, { name, id }: Helper): number | undefined {
  const known = accounts.groupByName(name)?.gid;
  if (known !== undefined) {
    const isOwn = accounts.groupByGid(known)?.name === name && !accounts.isPrimaryGid(known, name);
    return isOwn ? known : undefined;
  }
  const wanted = [id, accounts.userByName(name)?.gid];
  return wanted.find((gid) => gid !== undefined && accounts.isFreeGid(gid, name));
}

function orphanedGroupSecret(name: string): TremplinError {
  return new TremplinError(
    "exists",
    `/etc/gshadow still holds members or a password of a group ${name} that /etc/group does not have: ` +
      "remove that line in the container (grpck)",
  );
}

function joinGroups(accounts: AccountDatabase, name: string, users: Users): void {
  for (const group of users.requiredGroups) {
    if (!accounts.groupByName(group)) {
      throw new TremplinError("failed", `the container has no group ${group}, which the primary user needs`);
    }
    accounts.ensureMember(name, group);
  }
  const joined = users.optionalGroups.filter((group) => accounts.ensureMember(name, group));
  // The same group under the name that it has in many distributions.
  if (users.optionalGroups.includes("sudo") && !joined.includes("sudo")) accounts.ensureMember(name, "wheel");
}
