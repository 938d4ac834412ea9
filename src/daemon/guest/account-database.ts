import { TremplinError } from "../../base/tremplin-error.ts";
import { AccountFile } from "./account-file.ts";
import {
  type GroupEntry,
  type GshadowEntry,
  group,
  gshadow,
  type PasswdEntry,
  passwd,
  type ShadowEntry,
  shadow,
} from "./account-formats.ts";

/** What the four account files of a container hold. All must exist, but a system may do without gshadow. */
export interface AccountContents {
  readonly passwd: Uint8Array;
  readonly group: Uint8Array;
  readonly shadow: Uint8Array;
  /** Where it is undefined, none is made. */
  readonly gshadow: Uint8Array | undefined;
}

/** A file to be written with everything that it then holds. */
export interface ChangedAccountFile {
  readonly path: string;
  /** Whether it holds passwords, which only root and the file's group may read. */
  readonly secret: boolean;
  /** For the backup beside it (`/etc/passwd-`), and to notice that somebody else changed it meanwhile. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** Where Debian's own tools look for ids of new accounts too. */
const ACCOUNT_IDS = { first: 1000, last: 59_999 };
const MS_PER_DAY = 24 * 60 * 60 * 1000;

/**
 * The users and groups of one container, as data: nothing is written until the caller writes what `changes`
 * names. It only ever adds, so what was there keeps its meaning: no line goes, and no name, id or password that
 * is taken is given to anybody else. Names given to it are checked before (`checkUserName`); names read from it
 * are the container's word, so check them before they become part of a path.
 */
export class AccountDatabase {
  readonly #passwd: AccountFile<PasswdEntry>;
  readonly #group: AccountFile<GroupEntry>;
  readonly #shadow: AccountFile<ShadowEntry>;
  readonly #gshadow: AccountFile<GshadowEntry>;
  readonly #hasGshadow: boolean;
  readonly #now: number;

  /** `now` is in milliseconds since 1970. Throws `failed` if a file breaks its format or has no root. */
  constructor(contents: AccountContents, now: number) {
    this.#now = now;
    this.#passwd = new AccountFile(passwd, contents.passwd);
    this.#group = new AccountFile(group, contents.group);
    this.#shadow = new AccountFile(shadow, contents.shadow);
    this.#hasGshadow = contents.gshadow !== undefined;
    this.#gshadow = new AccountFile(gshadow, contents.gshadow ?? new Uint8Array());
    if (this.#passwd.find("root")) return;
    throw new TremplinError("failed", `${passwd.path} has no root, so it was not read as a whole: try again`);
  }

  get users(): readonly PasswdEntry[] {
    return this.#passwd.entries;
  }

  /** The first user of that uid, which is the one that programs show. */
  userByUid(uid: number): PasswdEntry | undefined {
    return this.users.find((user) => user.uid === uid);
  }

  /** The first user of that name, which is the one that logs in. */
  userByName(name: string): PasswdEntry | undefined {
    return this.#passwd.find(name);
  }

  groupByGid(gid: number): GroupEntry | undefined {
    return this.#group.entries.find((entry) => entry.gid === gid);
  }

  groupByName(name: string): GroupEntry | undefined {
    return this.#group.find(name);
  }

  /** Whether a group of that id would be nobody's but this user's. A gid in passwd needs no line in group. */
  isFreeGid(gid: number, user?: string): boolean {
    return !this.groupByGid(gid) && !this.isPrimaryGid(gid, user);
  }

  /** Whether it is the primary group of anybody but this user. */
  isPrimaryGid(gid: number, user?: string): boolean {
    return this.users.some((each) => each.gid === gid && each.name !== user);
  }

  /** Whether a group of that name would be new: what gshadow still holds of an old one would let people in. */
  isFreeGroupName(name: string): boolean {
    const left = this.#gshadow.find(name);
    const isClosed = !left || (/^[!*]/.test(left.password) && isEmpty(left.administrators, left.members));
    return !this.groupByName(name) && isClosed;
  }

  /** An id that no user and no group has, and that is not kept for another purpose. */
  freeId(kept: ReadonlySet<number>): number {
    const taken = new Set([...this.users.flatMap(({ uid, gid }) => [uid, gid]), ...kept]);
    for (const { gid } of this.#group.entries) taken.add(gid);
    for (let id = ACCOUNT_IDS.first; id <= ACCOUNT_IDS.last; id++) if (!taken.has(id)) return id;
    const range = `${ACCOUNT_IDS.first} to ${ACCOUNT_IDS.last}`;
    throw new TremplinError("failed", `every id from ${range} is taken: remove accounts in the container`);
  }

  /** Adds a user whose name and uid are free, and who has no password. */
  addUser(user: Omit<PasswdEntry, "password">): PasswdEntry {
    // With "x", a password that shadow still holds of a former user would open the account.
    const entry = { ...user, password: this.#shadow.find(user.name) ? "!" : "x" };
    this.#passwd.append(entry);
    this.completeUser(entry);
    return entry;
  }

  /** Adds the line in shadow that a user lacks, without a password. */
  completeUser({ name, password }: PasswdEntry): void {
    if (password === "x" && !this.#shadow.find(name)) this.#shadow.append(this.#lockedPassword(name));
  }

  /** Adds a group whose name and gid are free. */
  addGroup(name: string, gid: number): void {
    const added = { name, password: "x", gid, members: [] };
    this.#group.append(added);
    this.completeGroup(added);
  }

  /** Adds the line in gshadow that a group lacks, with the same members. */
  completeGroup(known: GroupEntry): void {
    if (known.password === "x" && !this.#gshadow.find(known.name)) this.#gshadow.append(lockedGroup(known));
  }

  /**
   * Makes sure that a user is a member of a group, in group and in gshadow. False if there is no such group,
   * which only the caller knows to be an error or not.
   */
  ensureMember(user: string, groupName: string): boolean {
    const known = this.groupByName(groupName);
    if (!known) return false;
    const joined = addMember(this.#group, known, user);
    const secret = this.#gshadow.find(groupName);
    if (secret) addMember(this.#gshadow, secret, user);
    else this.completeGroup(joined);
    return true;
  }

  /**
   * The files to be written, in the order to write them; none if everything was there already. After any of them
   * the same calls complete the rest: a user without a line in shadow cannot log in by a password, and a gid
   * without a line in group is nobody else's.
   */
  changes(): ChangedAccountFile[] {
    return [
      changeOf(this.#passwd, false),
      changeOf(this.#group, false),
      changeOf(this.#shadow, true),
      this.#hasGshadow ? changeOf(this.#gshadow, true) : [],
    ].flat();
  }

  #lockedPassword(name: string): ShadowEntry {
    return {
      name,
      password: "!",
      lastChange: BigInt(Math.floor(this.#now / MS_PER_DAY)),
      minimum: 0n,
      maximum: 99999n,
      warn: 7n,
      inactive: undefined,
      expire: undefined,
      reserved: "",
    };
  }
}

interface Members {
  readonly name: string;
  readonly members: readonly string[];
}

function addMember<Entry extends Members>(file: AccountFile<Entry>, entry: Entry, user: string): Entry {
  if (entry.members.includes(user)) return entry;
  const joined = { ...entry, members: [...entry.members, user] };
  file.replace(entry, joined);
  return joined;
}

/** The gshadow entry of a group without administrators that nobody can join by a password. */
function lockedGroup({ name, members }: Members): GshadowEntry {
  return { name, password: "!", administrators: [], members };
}

function isEmpty(...lists: readonly (readonly string[])[]): boolean {
  return lists.every(({ length }) => length === 0);
}

function changeOf<Entry extends { readonly name: string }>(
  file: AccountFile<Entry>,
  secret: boolean,
): ChangedAccountFile[] {
  const after = file.toBytes();
  if (Buffer.compare(file.original, after) === 0) return [];
  return [{ path: file.path, secret, before: file.original, after }];
}
