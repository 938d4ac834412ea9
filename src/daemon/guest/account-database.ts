import { TremplinError } from "../../base/tremplin-error.ts";
import { AccountFile } from "./account-file.ts";
import {
  type GroupEntry,
  type GshadowEntry,
  group,
  gshadow,
  MEMBERS_FIELD,
  type PasswdEntry,
  passwd,
  type ShadowEntry,
  shadow,
} from "./account-formats.ts";
import { displayText, trimAsciiEnd } from "./lossless-text.ts";

/** The content of a container's four account files. Undefined: the container has none. */
export interface AccountContents {
  readonly passwd: Uint8Array;
  /** One is made if a group is added. */
  readonly group: Uint8Array | undefined;
  /** None is made: passwords are in passwd then. */
  readonly shadow: Uint8Array | undefined;
  /** None is made. */
  readonly gshadow: Uint8Array | undefined;
}

/** A file to write, with its complete content. */
export interface ChangedAccountFile {
  readonly path: string;
  /** For the backup file (`/etc/passwd-`); undefined if there was no such file. */
  readonly before: Uint8Array | undefined;
  readonly after: Uint8Array;
}

/** The range that Debian's own tools use for new accounts. */
const ACCOUNT_IDS = { first: 1000, last: 59_999 };
const MS_PER_DAY = 24 * 60 * 60 * 1000;

/** The users of a container. Throws `failed` if root is missing. */
export function parsePasswd(content: Uint8Array): AccountFile<PasswdEntry> {
  const users = new AccountFile(passwd, content);
  if (users.claims.some(({ name, uid }) => name === "root" || uid === 0)) return users;
  throw new TremplinError("failed", `${passwd.path} has no root, so the file is incomplete: try again`);
}

/**
 * The first user with that uid, which is the one that programs show. Throws `failed` if that line is not valid, and
 * says what is wrong with it.
 */
export function findUid(users: AccountFile<PasswdEntry>, uid: number): PasswdEntry | undefined {
  return users.find((user) => user.uid === uid, `the uid ${uid}`);
}

/**
 * The users and groups of one container, as data: the caller writes the files that `changes` returns. It only adds,
 * so existing accounts keep their meaning: it removes no line and gives no name, id or password that is taken to
 * another account. A name or an id is also taken by a line that is not valid. Where such a line is the one that is
 * looked for by name or uid, the lookup throws `failed`. Check names before passing them in (`checkUserName`). Names
 * read from it come from the container and are not trusted: check them before they become part of a path.
 */
export class AccountDatabase {
  readonly #passwd: AccountFile<PasswdEntry>;
  readonly #group: AccountFile<GroupEntry>;
  readonly #shadow: AccountFile<ShadowEntry>;
  readonly #gshadow: AccountFile<GshadowEntry>;
  readonly #has: { readonly group: boolean; readonly shadow: boolean; readonly gshadow: boolean };
  readonly #now: number;

  /** `now`: milliseconds since 1970. Throws `failed` if root is missing. */
  constructor(contents: AccountContents, now: number) {
    this.#now = now;
    this.#passwd = parsePasswd(contents.passwd);
    this.#group = new AccountFile(group, contents.group ?? new Uint8Array());
    this.#shadow = new AccountFile(shadow, contents.shadow ?? new Uint8Array());
    this.#gshadow = new AccountFile(gshadow, contents.gshadow ?? new Uint8Array());
    this.#has = {
      group: contents.group !== undefined,
      shadow: contents.shadow !== undefined,
      gshadow: contents.gshadow !== undefined,
    };
  }

  /** All users, those in lines that are not valid too, as far as these can be read. */
  get users(): readonly PasswdEntry[] {
    return this.#passwd.claims;
  }

  /** What is wrong with lines that are not valid. They stay as they are. */
  get problems(): readonly string[] {
    const files = [this.#passwd, this.#group, this.#shadow, this.#gshadow];
    return files.flatMap(({ problems }) => problems);
  }

  userByUid(uid: number): PasswdEntry | undefined {
    return findUid(this.#passwd, uid);
  }

  /** The first user with that name, which is the one that can log in. */
  userByName(name: string): PasswdEntry | undefined {
    return this.#passwd.find((user) => user.name === name, `the name "${displayText(name)}"`);
  }

  /** Undefined also if the line of the group is not valid. */
  groupByGid(gid: number): GroupEntry | undefined {
    return validOf(this.#group, (entry) => entry.gid === gid);
  }

  groupByName(name: string): GroupEntry | undefined {
    return this.#group.find((entry) => entry.name === name, `the name "${displayText(name)}"`);
  }

  /** The names of the groups of a user. */
  groupsOf({ name, gid }: PasswdEntry): string[] {
    const groups = this.#group.entries.filter((each) => each.gid === gid || each.members.includes(name));
    return groups.map((each) => each.name);
  }

  /** Whether some password, perhaps the empty one, opens an account. */
  hasPassword({ name, password }: PasswdEntry): boolean {
    const isElsewhere = password === "x";
    const [secret = "!"] = isElsewhere
      ? (this.#shadow.claims.find((entry) => entry.name === name)?.fields ?? [])
      : [password];
    return !/^([!*]|x$)/.test(secret);
  }

  isFreeUid(uid: number): boolean {
    return !this.users.some((user) => user.uid === uid);
  }

  /** Whether only this user could belong to a group with that gid. A gid in passwd needs no line in group. */
  isFreeGid(gid: number, user?: string): boolean {
    return !this.#group.claims.some((entry) => entry.gid === gid) && !this.isPrimaryGid(gid, user);
  }

  /** Whether it is the primary group of a user other than this one. */
  isPrimaryGid(gid: number, user?: string): boolean {
    return this.users.some((each) => each.gid === gid && each.name !== user);
  }

  /** Whether a new group can have that name. An orphaned gshadow line could let its members into the new group. */
  isFreeGroupName(name: string): boolean {
    if (hasName(this.#group, name)) return false;
    if (!hasName(this.#gshadow, name)) return true;
    const orphan = validOf(this.#gshadow, (entry) => entry.name === name);
    return orphan !== undefined && /^[!*]/.test(orphan.password) && isEmpty(orphan);
  }

  /** An id that no user and no group has, and that is not reserved. */
  freeId(reserved: ReadonlySet<number>): number {
    const taken = new Set([...this.users.flatMap(({ uid, gid }) => [uid, gid]), ...reserved]);
    for (const { gid } of this.#group.claims) taken.add(gid);
    for (let id = ACCOUNT_IDS.first; id <= ACCOUNT_IDS.last; id++) if (!taken.has(id)) return id;
    const range = `${ACCOUNT_IDS.first} to ${ACCOUNT_IDS.last}`;
    throw new TremplinError("failed", `every id from ${range} is taken: remove accounts in the container`);
  }

  /** Adds a user without a password. The name and the uid must be free. */
  addUser(user: Omit<PasswdEntry, "password">): PasswdEntry {
    // "x" would let an orphaned password in shadow open the account.
    const isOpen = this.#has.shadow && !hasName(this.#shadow, user.name);
    const entry = { ...user, password: isOpen ? "x" : "!" };
    this.#passwd.append(entry);
    this.completeUser(entry);
    return entry;
  }

  /** Adds a missing line in shadow, without a password. */
  completeUser({ name, password }: PasswdEntry): void {
    if (password === "x" && !hasName(this.#shadow, name)) this.#shadow.append(this.#lockedPassword(name));
  }

  /** Adds a group. The name and the gid must be free. */
  addGroup(name: string, gid: number): void {
    const added = { name, password: "x", gid, members: [] };
    this.#group.append(added);
    this.completeGroup(added);
  }

  /** Adds a missing line in gshadow, with the same members. */
  completeGroup(known: GroupEntry): void {
    if (known.password !== "x" || hasName(this.#gshadow, known.name)) return;
    this.#gshadow.append(lockedGroup(known));
  }

  /**
   * Makes a user a member of a group, in group and in gshadow. False if there is no such group, or none with a valid
   * line.
   */
  ensureMember(user: string, groupName: string): boolean {
    const isWanted = ({ name }: { readonly name: string }) => name === groupName;
    const known = validOf(this.#group, isWanted);
    if (!known) return false;
    const joined = addMember(this.#group, known, user);
    const secret = validOf(this.#gshadow, isWanted);
    if (secret) addMember(this.#gshadow, secret, user);
    else this.completeGroup(joined);
    return true;
  }

  /**
   * The files to write, in this order; none if nothing changed. If writing stops after any of them, the same calls
   * complete the rest: a user without a line in shadow cannot log in with a password, and no other user gets a gid
   * that has no line in group.
   */
  changes(): ChangedAccountFile[] {
    return [
      changeOf(this.#passwd, true),
      changeOf(this.#group, this.#has.group),
      this.#has.shadow ? changeOf(this.#shadow, true) : [],
      this.#has.gshadow ? changeOf(this.#gshadow, true) : [],
    ].flat();
  }

  #lockedPassword(name: string): ShadowEntry {
    const today = Math.floor(this.#now / MS_PER_DAY);
    return { name, fields: ["!", String(today), "0", "99999", "7", "", "", ""] };
  }
}

interface Members {
  readonly name: string;
  readonly members: readonly string[];
}

function addMember<Entry extends Members>(file: AccountFile<Entry>, entry: Entry, user: string): Entry {
  if (entry.members.includes(user)) return entry;
  const joined = { ...entry, members: [...entry.members, user] };
  file.editField(entry, MEMBERS_FIELD, (text) => withMember(text, user), joined);
  return joined;
}

/** The list with one more name. All that it holds stays, except white space that would become part of the name. */
function withMember(members: string, user: string): string {
  const kept = trimAsciiEnd(members);
  return kept === "" || kept.endsWith(",") ? `${kept}${user}` : `${members},${user}`;
}

/** The gshadow entry of a group without administrators or a valid password. */
function lockedGroup({ name, members }: Members): GshadowEntry {
  return { name, password: "!", administrators: [], members };
}

function isEmpty({ administrators, members }: GshadowEntry): boolean {
  return administrators.length === 0 && members.length === 0;
}

function hasName(file: AccountFile<{ readonly name: string }>, name: string): boolean {
  return file.claims.some((entry) => entry.name === name);
}

/** The entry of the first line that is wanted; undefined if there is none, or it is not valid. */
function validOf<Entry extends { readonly name: string }>(
  file: AccountFile<Entry>,
  isWanted: (entry: Entry) => boolean,
): Entry | undefined {
  const first = file.claims.find(isWanted);
  return first && file.entries.find((entry) => entry === first);
}

function changeOf<Entry extends { readonly name: string }>(
  file: AccountFile<Entry>,
  isThere: boolean,
): ChangedAccountFile[] {
  const after = file.toBytes();
  if (Buffer.compare(file.original, after) === 0) return [];
  return [{ path: file.path, before: isThere ? file.original : undefined, after }];
}
