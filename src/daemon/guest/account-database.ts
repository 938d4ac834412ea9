import { TremplinError } from "../../base/tremplin-error.ts";
import { AccountFile } from "./account-file.ts";
import { type GroupEntry, group } from "./group.ts";
import { type GshadowEntry, gshadow } from "./gshadow.ts";
import { type PasswdEntry, passwd } from "./passwd.ts";
import { type ShadowEntry, shadow } from "./shadow.ts";
import { isReservedUserName } from "./user-name.ts";

/** What the four account files of a container hold. All must exist, but a system may do without gshadow. */
export interface AccountContents {
  readonly passwd: Uint8Array;
  readonly group: Uint8Array;
  readonly shadow: Uint8Array;
  /** Where it is undefined, none is made. */
  readonly gshadow: Uint8Array | undefined;
}

/** A file to be written, as root, with everything that it then holds and the ids of the container. */
export interface ChangedAccountFile {
  readonly path: string;
  readonly mode: number;
  readonly gid: number;
  /** For the backup beside it (`/etc/passwd-`), and to notice that somebody else changed it meanwhile. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** A user to be there; the id is that of the user's own group too. */
export interface WantedUser {
  readonly name: string;
  readonly uid: number;
  /** Whether it is a person, who logs in and has a home. */
  readonly login: boolean;
}

const open = { mode: 0o644, gid: 0 };
const millisecondsOfDay = 24 * 60 * 60 * 1000;

/**
 * The users and groups of one container (behaviour.md 4.8, items 37-43), as data: nothing is written until
 * the caller writes what `changes` names. Names given to it are checked before (`checkUserName`); names read
 * from it are the container's word, so check them before they become part of a path.
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
    if (this.#passwd.named("root")) return;
    throw new TremplinError("failed", `${passwd.path} has no root, so it was not read as a whole: try again`);
  }

  /** The first user of that uid, which is the one that programs show. */
  userOf(uid: number): PasswdEntry | undefined {
    return this.#passwd.entries.find((entry) => entry.uid === uid);
  }

  /**
   * Makes sure of a user: one of that name and uid stays as it is (a missing shadow line is added), else
   * every user that has either is replaced. Returns what is then there. Refuses with `exists` to replace an
   * account of the system.
   */
  ensureUser({ name, uid, login }: WantedUser): PasswdEntry {
    const known = this.#passwd.entries.find((entry) => entry.name === name && entry.uid === uid);
    if (known) {
      if (!this.#shadow.named(name)) this.#shadow.append(this.#lockedPassword(name));
      return known;
    }
    const gone = displace(this.#passwd, name, uid, (entry) => entry.uid);
    this.#shadow.remove((entry) => entry.name === name || gone.has(entry.name));
    const home = login ? `/home/${name}` : "/dev/null";
    const shell = login ? "/bin/bash" : "/bin/false";
    const user = { name, password: "x", uid, gid: uid, gecos: name, home, shell };
    this.#passwd.append(user);
    this.#shadow.append(this.#lockedPassword(name));
    return user;
  }

  /** Makes sure of a group by the same rule; a missing gshadow entry is added. */
  ensureGroup(name: string, gid: number): void {
    const known = this.#group.entries.find((entry) => entry.name === name && entry.gid === gid);
    if (known) {
      if (!this.#gshadow.named(name)) this.#gshadow.append(closedGroup(known));
      return;
    }
    const gone = displace(this.#group, name, gid, (entry) => entry.gid);
    this.#gshadow.remove((entry) => entry.name === name || gone.has(entry.name));
    const added = { name, password: "x", gid, members: [] };
    this.#group.append(added);
    this.#gshadow.append(closedGroup(added));
  }

  /**
   * Makes sure that a user is a member of a group, in group and in gshadow, where a missing entry is added.
   * False if there is no such group, which only the caller knows to be an error or not.
   */
  ensureMember(user: string, groupName: string): boolean {
    const known = this.#group.named(groupName);
    if (!known) return false;
    const joined = withMember(this.#group, known, user);
    const secret = this.#gshadow.named(groupName);
    if (secret) withMember(this.#gshadow, secret, user);
    else this.#gshadow.append(closedGroup(joined));
    return true;
  }

  /** The files to be written, in the order to write them; none if everything was there already. */
  changes(): ChangedAccountFile[] {
    const secret = { mode: 0o640, gid: this.#group.named("shadow")?.gid ?? 0 };
    return [
      changed(this.#passwd, open),
      changed(this.#group, open),
      changed(this.#shadow, secret),
      this.#hasGshadow ? changed(this.#gshadow, secret) : [],
    ].flat();
  }

  #lockedPassword(name: string): ShadowEntry {
    return {
      name,
      password: "!",
      lastChange: BigInt(Math.floor(this.#now / millisecondsOfDay)),
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

function withMember<Entry extends Members>(file: AccountFile<Entry>, entry: Entry, user: string): Entry {
  if (entry.members.includes(user)) return entry;
  const joined = { ...entry, members: [...entry.members, user] };
  file.replace(entry, joined);
  return joined;
}

/** The gshadow entry of a group without administrators that nobody can join by a password. */
function closedGroup({ name, members }: Members): GshadowEntry {
  return { name, password: "!", administrators: [], members };
}

/** Removes every entry of that name or id. Returns the names that are then no longer in the file. */
function displace<Entry extends { readonly name: string }>(
  file: AccountFile<Entry>,
  name: string,
  id: number,
  idOf: (entry: Entry) => number,
): Set<string> {
  const doomed = new Set(file.entries.filter((entry) => entry.name === name || idOf(entry) === id));
  for (const entry of doomed) {
    if (!isOfSystem(idOf(entry)) && (entry.name === name || !isReservedUserName(entry.name))) continue;
    throw new TremplinError(
      "exists",
      `"${name}" with id ${id} would replace the system account with id ${idOf(entry)} in ${file.path}: ` +
        "choose another name, or remove that account in the container",
    );
  }
  file.remove((entry) => doomed.has(entry));
  const left = new Set(file.entries.map((entry) => entry.name));
  return new Set([...doomed].map((entry) => entry.name).filter((gone) => !left.has(gone)));
}

/** Debian policy 9.2.2: below 1000, and 65534 for nobody and nogroup. */
function isOfSystem(id: number): boolean {
  return id < 1000 || id === 65534;
}

function changed<Entry extends { readonly name: string }>(
  file: AccountFile<Entry>,
  attributes: { readonly mode: number; readonly gid: number },
): ChangedAccountFile[] {
  const after = file.toBytes();
  if (Buffer.compare(file.original, after) === 0) return [];
  return [{ path: file.path, ...attributes, before: file.original, after }];
}
