import type { AccountFormat } from "./account-file.ts";
import { trimAsciiStart } from "./lossless-text.ts";

/** A user. Text is latin1, one character for each byte: use `displayText` before showing or sending it. */
export interface PasswdEntry {
  readonly name: string;
  readonly password: string;
  /** NaN in a line that is not valid and has no number there. */
  readonly uid: number;
  /** As the uid. */
  readonly gid: number;
  readonly gecos: string;
  readonly home: string;
  readonly shell: string;
}

/** passwd(5). */
export const passwd: AccountFormat<PasswdEntry> = {
  path: "/etc/passwd",
  form: "name:password:uid:gid:comment:home:shell",
  ids: { uid: 2, gid: 3 },
  read([name = "", password = "", uid = "", gid = "", gecos = "", home = "", shell = ""]) {
    return { name, password, uid: readId(uid), gid: readId(gid), gecos, home, shell };
  },
  write: ({ name, password, uid, gid, gecos, home, shell }) => [
    name,
    password,
    String(uid),
    String(gid),
    gecos,
    home,
    shell,
  ],
};

/** A group and its members. Users with this primary group need not be listed. */
export interface GroupEntry {
  readonly name: string;
  readonly password: string;
  /** NaN in a line that is not valid and has no number there. */
  readonly gid: number;
  readonly members: readonly string[];
}

/** group(5). The members and the colon before them may be missing. */
export const group: AccountFormat<GroupEntry> = {
  path: "/etc/group",
  form: "name:password:gid:members",
  optionalFields: 1,
  ids: { gid: 2 },
  read([name = "", password = "", gid = "", members = ""]) {
    return { name, password, gid: readId(gid), members: readNames(members) };
  },
  write: ({ name, password, gid, members }) => [name, password, String(gid), members.join(",")],
};

/** A user's password and its expiry. */
export interface ShadowEntry {
  readonly name: string;
  /** The fields after the name. Only new entries are written, so what an existing one says does not matter. */
  readonly fields: readonly string[];
}

/** shadow(5). Its lines are valid with any number of fields: older programs write five. */
export const shadow: AccountFormat<ShadowEntry> = {
  path: "/etc/shadow",
  read: ([name = "", ...fields]) => ({ name, fields }),
  write: ({ name, fields }) => [name, ...fields],
};

/** The administrators of a group and the members that need no password to join. */
export interface GshadowEntry {
  readonly name: string;
  readonly password: string;
  readonly administrators: readonly string[];
  readonly members: readonly string[];
}

/** gshadow(5). */
export const gshadow: AccountFormat<GshadowEntry> = {
  path: "/etc/gshadow",
  form: "name:password:administrators:members",
  read([name = "", password = "", administrators = "", members = ""]) {
    return { name, password, administrators: readNames(administrators), members: readNames(members) };
  },
  write: ({ name, password, administrators, members }) => [
    name,
    password,
    administrators.join(","),
    members.join(","),
  ],
};

/** The field with the members, in group and in gshadow. */
export const MEMBERS_FIELD = 3;

/** The number that a field begins with, as strtoul(3) reads it; NaN for a negative one, and for one beyond 32 bits. */
function readId(text: string): number {
  const id = Number(/^[\s+]*(\d{1,11})/.exec(text)?.[1] ?? "none");
  return id <= 0xffffffff ? id : Number.NaN;
}

/** The names in a comma-separated list. As in the C library, empty ones and white space before a name do not count. */
function readNames(text: string): readonly string[] {
  return text
    .split(",")
    .map(trimAsciiStart)
    .filter((name) => name !== "");
}
