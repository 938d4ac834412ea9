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

/** The content of a container's four account files. All but gshadow must exist. */
export interface AccountContents {
  readonly passwd: Uint8Array;
  readonly group: Uint8Array;
  readonly shadow: Uint8Array;
  /** Undefined: the container has none and gets none. */
  readonly gshadow: Uint8Array | undefined;
}

/** A file to write, with its complete content. */
export interface ChangedAccountFile {
  readonly path: string;
  /** Whether the file holds passwords: only root and the file's group may read it. */
  readonly secret: boolean;
  /** For the backup file (`/etc/passwd-`), and to detect a concurrent change. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** The range that Debian's own tools use for new accounts. */
const ACCOUNT_IDS = { first: 1000, last: 59_999 };
const MS_PER_DAY = 24 * 60 * 60 * 1000;

/**
 * The users and groups of one container, as data: the caller writes the files that `changes` returns. It only adds,
 * so existing accounts keep their meaning: it removes no line and gives no name, id or password that is taken to
 * another account. Check names before passing them in (`checkUserName`). Names read from it come from the container
 * and are not trusted: check them before they become part of a path.
 */
export class AccountDatabase {
  readonly #passwd: AccountFile<PasswdEntry>;
  readonly #group: AccountFile<GroupEntry>;
  readonly #shadow: AccountFile<ShadowEntry>;
  readonly #gshadow: AccountFile<GshadowEntry>;
  readonly #hasGshadow: boolean;
  readonly #now: number;

  /** `now`: milliseconds since 1970. Throws `failed` if a file is malformed or has no root. */
  constructor(contents: AccountContents, now: number) {
    this.#now = now;
    this.#passwd = new AccountFile(passwd, contents.passwd);
    this.#group = new AccountFile(group, contents.group);
    this.#shadow = new AccountFile(shadow, contents.shadow);
    this.#hasGshadow = contents.gshadow !== undefined;
    this.#gshadow = new AccountFile(gshadow, contents.gshadow ?? new Uint8Array());
    if (this.#passwd.find("root")) return;
    throw new TremplinError("failed", `${passwd.path} has no root, so the file is incomplete: try again`);
  }

  get users(): readonly PasswdEntry[] {
    return this.#passwd.entries;
  }

  /** The first user with that uid, which is the one that programs show. */
  userByUid(uid: number): PasswdEntry | undefined {
    return this.users.find((user) => user.uid === uid);
  }

  /** The first user with that name, which is the one that can log in. */
  userByName(name: string): PasswdEntry | undefined {
    return this.#passwd.find(name);
  }

  groupByGid(gid: number): GroupEntry | undefined {
    return this.#group.entries.find((entry) => entry.gid === gid);
  }

  groupByName(name: string): GroupEntry | undefined {
    return this.#group.find(name);
  }

  /** Whether only this user could belong to a group with that gid. A gid in passwd needs no line in group. */
  isFreeGid(gid: number, user?: string): boolean {
    return !this.groupByGid(gid) && !this.isPrimaryGid(gid, user);
  }

  /** Whether it is the primary group of a user other than this one. */
  isPrimaryGid(gid: number, user?: string): boolean {
    return this.users.some((each) => each.gid === gid && each.name !== user);
  }

  /** Whether a new group can have that name. An orphaned gshadow line could let its members into the new group. */
  isFreeGroupName(name: string): boolean {
    const orphan = this.#gshadow.find(name);
    const isLocked =
      !orphan || (/^[!*]/.test(orphan.password) && isEmpty(orphan.administrators, orphan.members));
    return !this.groupByName(name) && isLocked;
  }

  /** An id that no user and no group has, and that is not reserved. */
  freeId(reserved: ReadonlySet<number>): number {
    const taken = new Set([...this.users.flatMap(({ uid, gid }) => [uid, gid]), ...reserved]);
    for (const { gid } of this.#group.entries) taken.add(gid);
    for (let id = ACCOUNT_IDS.first; id <= ACCOUNT_IDS.last; id++) if (!taken.has(id)) return id;
    const range = `${ACCOUNT_IDS.first} to ${ACCOUNT_IDS.last}`;
    throw new TremplinError("failed", `every id from ${range} is taken: remove accounts in the container`);
  }

  /** Adds a user without a password. The name and the uid must be free. */
  addUser(user: Omit<PasswdEntry, "password">): PasswdEntry {
    // "x" would let an orphaned password in shadow open the account.
    const entry = { ...user, password: this.#shadow.find(user.name) ? "!" : "x" };
    this.#passwd.append(entry);
    this.completeUser(entry);
    return entry;
  }

  /** Adds a missing line in shadow, without a password. */
  completeUser({ name, password }: PasswdEntry): void {
    if (password === "x" && !this.#shadow.find(name)) this.#shadow.append(this.#lockedPassword(name));
  }

  /** Adds a group. The name and the gid must be free. */
  addGroup(name: string, gid: number): void {
    const added = { name, password: "x", gid, members: [] };
    this.#group.append(added);
    this.completeGroup(added);
  }

  /** Adds a missing line in gshadow, with the same members. */
  completeGroup(known: GroupEntry): void {
    if (known.password === "x" && !this.#gshadow.find(known.name)) this.#gshadow.append(lockedGroup(known));
  }

  /**
   * Makes a user a member of a group, in group and in gshadow. False if there is no such group.
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
   * The files to write, in this order; none if nothing changed. If writing stops after any of them, the same calls
   * complete the rest: a user without a line in shadow cannot log in with a password, and no other user gets a gid
   * that has no line in group.
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

/** The gshadow entry of a group without administrators or a valid password. */
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
