import { posix } from "node:path";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Site } from "../sites/site.ts";
import type { AccountDatabase } from "./account-database.ts";
import type { PasswdEntry } from "./account-formats.ts";

/** The uid of the person of a container, and the gid of the person's own group where that is free. */
export const PRIMARY_UID = 1000;
/** How many names are tried for a group whose name is taken. */
const MAX_NUMBERED_NAMES = 1000;
const MAX_NAME_LENGTH = 32;

type Users = Site["users"];
type Helper = Users["helpers"][number];

/** What was made, or found. */
export interface AddedAccounts {
  readonly primaryUser: PasswdEntry;
  /** Whether the person had no account before. */
  readonly isNew: boolean;
  /** The helpers that were given another id than the site's, since that one is somebody else's. */
  readonly reassignedHelpers: readonly string[];
}

/**
 * Adds what is missing of the person of a container, of the helper users of the site, of their groups and
 * memberships. Whoever has uid 1000 is the person; else the name gets it. An id or a group name that is taken
 * stays with whom it belongs to, and the new account gets a free one. Throws, as `exists` or `failed`, what stands
 * in the way where there is no choice; nothing is to be written then.
 */
export function addAccounts(accounts: AccountDatabase, name: string, users: Users): AddedAccounts {
  const kept = new Set([PRIMARY_UID, ...users.helpers.map(({ id }) => id)]);
  const known = accounts.userByUid(PRIMARY_UID);
  const person = known ?? addPrimaryUser(accounts, name, kept);
  if (known) checkNameIsUnique(accounts, known);
  accounts.completeUser(person);
  ensurePrimaryGroup(accounts, person);
  const moved = users.helpers.filter((helper) => !ensureHelper(accounts, helper, kept));
  joinGroups(accounts, person.name, users);
  return { primaryUser: person, isNew: !known, reassignedHelpers: moved.map((helper) => helper.name) };
}

function addPrimaryUser(accounts: AccountDatabase, name: string, kept: ReadonlySet<number>): PasswdEntry {
  const other = accounts.userByName(name);
  if (other) {
    throw new TremplinError(
      "exists",
      `the account "${name}" has the uid ${other.uid} in the container, and its person must have ${PRIMARY_UID}: ` +
        `choose another name, or change that uid in the container (usermod -u ${PRIMARY_UID})`,
    );
  }
  const home = `/home/${name}`;
  const resident = accounts.users.find((user) => posix.resolve("/", user.home) === home);
  if (resident) {
    throw new TremplinError(
      "exists",
      `${home} is the home of uid ${resident.uid} in the container: choose another name, or change that home`,
    );
  }
  const isOwn = accounts.groupByGid(PRIMARY_UID)?.name === name || accounts.isFreeGid(PRIMARY_UID);
  const gid = isOwn ? PRIMARY_UID : accounts.freeId(kept);
  return accounts.addUser({ name, uid: PRIMARY_UID, gid, gecos: name, home, shell: "/bin/bash" });
}

/** Memberships go by name: where it is another account's too, that one would get them. */
function checkNameIsUnique(accounts: AccountDatabase, person: PasswdEntry): void {
  const uid = accounts.userByName(person.name)?.uid;
  if (uid === PRIMARY_UID) return;
  throw new TremplinError(
    "failed",
    `the uids ${uid} and ${PRIMARY_UID} have the same name in the container: rename one of them in /etc/passwd`,
  );
}

/** A gid without a name that others have too is left without one. */
function ensurePrimaryGroup(accounts: AccountDatabase, { name, gid }: PasswdEntry): void {
  const known = accounts.groupByGid(gid);
  if (known) accounts.completeGroup(known);
  else if (accounts.isFreeGid(gid, name)) accounts.addGroup(freeGroupName(accounts, name), gid);
}

/** The name itself, or with a number: anna-1000. */
function freeGroupName(accounts: AccountDatabase, name: string): string {
  if (accounts.isFreeGroupName(name)) return name;
  for (let number = PRIMARY_UID; number < PRIMARY_UID + MAX_NUMBERED_NAMES; number++) {
    const numbered = `${name.slice(0, MAX_NAME_LENGTH - 5)}-${number}`;
    if (accounts.isFreeGroupName(numbered)) return numbered;
  }
  throw new TremplinError("exists", "every name for the person's own group is taken in the container");
}

/** False if a new one could not have its id. */
function ensureHelper(accounts: AccountDatabase, { name, id }: Helper, kept: ReadonlySet<number>): boolean {
  const user = accounts.userByName(name);
  const group = accounts.groupByName(name);
  const gid = chooseHelperGid(accounts, { name, id }) ?? accounts.freeId(kept);
  const uid = user?.uid ?? (accounts.userByUid(id) ? accounts.freeId(kept) : id);
  if (group) accounts.completeGroup(group);
  else {
    if (!accounts.isFreeGroupName(name)) throw orphanedGroupSecret(name);
    accounts.addGroup(name, gid);
  }
  if (user) accounts.completeUser(user);
  else accounts.addUser({ name, uid, gid, gecos: name, home: "/dev/null", shell: "/bin/false" });
  return (user !== undefined || uid === id) && (group !== undefined || gid === id);
}

/** Undefined if it has to be a free one: the helper is in no group of anybody else. */
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
    if (accounts.ensureMember(name, group)) continue;
    throw new TremplinError("failed", `the container has no group ${group}, which the person must be in`);
  }
  for (const group of users.optionalGroups) accounts.ensureMember(name, group);
}
