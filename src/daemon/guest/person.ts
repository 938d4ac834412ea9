import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession } from "../../engine/file-session.ts";
import type { Site } from "../sites/site.ts";
import { AccountDatabase } from "./account-database.ts";
import { readAccountFiles, replaceAccountFiles } from "./account-files.ts";
import { ensureHome } from "./home-directory.ts";
import { enableLinger } from "./linger.ts";
import { legible } from "./lossless-text.ts";
import type { PasswdEntry } from "./passwd.ts";

/** The person of a container, as user and as group (behaviour.md 2.3). */
const PERSON = 1000;
/** How often the files may change while we are about to, before we give up. */
const MOST_TRIES = 10;

/** The person of a container; undefined if it has none yet. Throws `failed` for files that are not valid. */
export async function findPerson(files: FileSession, now: number): Promise<PasswdEntry | undefined> {
  return new AccountDatabase(await readAccountFiles(files), now).userOf(PERSON);
}

export interface PersonWish {
  /** Who the person is to be, checked by checkUserName; who is there already stays. */
  readonly name: string;
  readonly users: Site["users"];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Told who the person is as soon as that is known. */
  readonly told: (name: string) => void;
}

/**
 * Makes sure of the person of a container, of the helper users of the site, of their groups and memberships, of a
 * home and of lingering (behaviour.md 5.7). What is there already is not touched: a second call writes nothing.
 */
export async function ensurePerson(files: FileSession, wish: PersonWish): Promise<void> {
  const person = await ensureAccounts(files, wish);
  await ensureHome(files, person);
  await enableLinger(files, person.name);
}

async function ensureAccounts(files: FileSession, wish: PersonWish): Promise<PasswdEntry> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const read = await readAccountFiles(files);
    const accounts = new AccountDatabase(read, wish.now);
    const name = accounts.userOf(PERSON)?.name ?? wish.name;
    wish.told(legible(name));
    const person = addAll(accounts, name, wish.users);
    const changes = accounts.changes();
    if (changes.length === 0 || (await replaceAccountFiles(files, read, changes))) return person;
  }
  throw new TremplinError(
    "failed",
    "something in the container changes its account files all the time: stop it, and try again",
  );
}

function addAll(accounts: AccountDatabase, name: string, users: Site["users"]): PasswdEntry {
  const person = accounts.ensureUser({ name, uid: PERSON, login: true });
  accounts.ensureGroup(name, PERSON);
  for (const { name: helper, id } of users.helpers) {
    accounts.ensureUser({ name: helper, uid: id, login: false });
    accounts.ensureGroup(helper, id);
  }
  for (const group of users.requiredGroups) {
    if (accounts.ensureMember(name, group)) continue;
    throw new TremplinError("failed", `the container has no group ${group}, which the person must be in`);
  }
  for (const group of users.optionalGroups) accounts.ensureMember(name, group);
  return person;
}
