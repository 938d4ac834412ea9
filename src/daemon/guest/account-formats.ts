import { TremplinError } from "../../base/tremplin-error.ts";
import type { AccountFormat } from "./account-file.ts";

/** A user. Text is latin1, one character for each byte: use `displayText` before showing or sending it. */
export interface PasswdEntry {
  readonly name: string;
  readonly password: string;
  readonly uid: number;
  readonly gid: number;
  readonly gecos: string;
  readonly home: string;
  readonly shell: string;
}

/** passwd(5). */
export const passwd: AccountFormat<PasswdEntry> = {
  path: "/etc/passwd",
  fieldCount: 7,
  read([name = "", password = "", uid = "", gid = "", gecos = "", home = "", shell = ""]) {
    return { name, password, uid: parseId(uid, "uid"), gid: parseId(gid, "gid"), gecos, home, shell };
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
  readonly gid: number;
  readonly members: readonly string[];
}

/** group(5). */
export const group: AccountFormat<GroupEntry> = {
  path: "/etc/group",
  fieldCount: 4,
  read([name = "", password = "", gid = "", members = ""]) {
    return { name, password, gid: parseId(gid, "gid"), members: parseNames(members, "members") };
  },
  write: ({ name, password, gid, members }) => [name, password, String(gid), members.join(",")],
};

/** A user's password and its expiry. Numbers are days; `lastChange` and `expire` count from 1970. */
export interface ShadowEntry {
  readonly name: string;
  readonly password: string;
  readonly lastChange: bigint | undefined;
  readonly minimum: bigint | undefined;
  readonly maximum: bigint | undefined;
  readonly warn: bigint | undefined;
  readonly inactive: bigint | undefined;
  readonly expire: bigint | undefined;
  readonly reserved: string;
}

/** shadow(5). */
export const shadow: AccountFormat<ShadowEntry> = {
  path: "/etc/shadow",
  fieldCount: 9,
  read([name = "", password = "", last = "", min = "", max = "", warn = "", off = "", end = "", more = ""]) {
    return {
      name,
      password,
      lastChange: parseCount(last, "day of the last change"),
      minimum: parseCount(min, "minimum age"),
      maximum: parseCount(max, "maximum age"),
      warn: parseCount(warn, "warning period"),
      inactive: parseCount(off, "inactivity period"),
      expire: parseCount(end, "expiration day"),
      reserved: more,
    };
  },
  write: ({ name, password, lastChange, minimum, maximum, warn, inactive, expire, reserved }) => [
    name,
    password,
    ...[lastChange, minimum, maximum, warn, inactive, expire].map((count) => String(count ?? "")),
    reserved,
  ],
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
  fieldCount: 4,
  read([name = "", password = "", administrators = "", members = ""]) {
    return {
      name,
      password,
      administrators: parseNames(administrators, "administrators"),
      members: parseNames(members, "members"),
    };
  },
  write: ({ name, password, administrators, members }) => [
    name,
    password,
    administrators.join(","),
    members.join(","),
  ],
};

/** A user or group id: decimal, unsigned, 32 bits. */
function parseId(text: string, field: string): number {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (id <= 0xffffffff) return id;
  throw new TremplinError("failed", `the ${field} is not a number from 0 to 4294967295`);
}

/** A number in shadow(5): decimal, unsigned, 64 bits; empty means unset. */
function parseCount(text: string, field: string): bigint | undefined {
  if (text === "") return undefined;
  // Bounded first: BigInt() takes quadratic time.
  const count = /^\d{1,20}$/.test(text) ? BigInt(text) : undefined;
  if (count !== undefined && count < 2n ** 64n) return count;
  throw new TremplinError("failed", `the ${field} is not a number that fits into 64 bits`);
}

/** Comma-separated names, none of them empty; an empty text is an empty list. */
function parseNames(text: string, field: string): readonly string[] {
  const names = text === "" ? [] : text.split(",");
  if (!names.includes("")) return names;
  throw new TremplinError("failed", `one of the ${field} has an empty name`);
}
