import { TremplinError } from "../../base/tremplin-error.ts";
import { displayText } from "../guest/lossless-text.ts";

/** The type of an archive member: the first letter of its line in tar's listing (`h`: a hard link). */
export type MemberType = "-" | "d" | "l" | "h" | "b" | "c" | "p" | "s" | "other";

export interface TarMember {
  readonly type: MemberType;
  /** One character for each byte (lossless-text.ts). */
  readonly name: string;
  /** The target of a link. */
  readonly target?: string;
  /** Bytes; undefined for devices. */
  readonly size?: number;
  /** Major and minor number of a device: "1,3". */
  readonly device?: string;
  /** Of a device. */
  readonly attributes?: MemberAttributes;
}

/** The owner and mode of a member, as the container sees them. */
export interface MemberAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

const LINE = /^block \d+: (.)(\S{9})\S? +(\S+)\/(\S+) +(\d+(?:,\d+)?) +([^"]*)("(?:[^"\\]|\\.)*")(.*)$/;
const LINK = /^ (?:->|link to) ("(?:[^"\\]|\\.)*")$/;
/** The name that a person gave to the archive. */
const VOLUME_HEADER = /^block \d+: V.*--Volume Header--$/;
const END_NOTE = /^block \d+: \*\* (Block of NULs|End of File) \*\*$/;

const escapes: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/**
 * Parses a line of GNU tar's listing (`-tvR --quoting-style=c --numeric-owner --full-time`, LC_ALL=C): a member, `end` for the
 * archive's end mark, `cut` if the archive ends without it, or `label` for a label. Throws `failed` for any other text.
 */
export function parseListing(line: string): TarMember | "end" | "cut" | "label" {
  const note = END_NOTE.exec(line)?.[1];
  if (note) return note === "End of File" ? "cut" : "end";
  if (VOLUME_HEADER.test(line)) return "label";
  const [, letter = "", mode = "", uid, gid, size = "", time = "", name, rest = ""] = LINE.exec(line) ?? [];
  if (name === undefined) throw unreadable(line);
  const target = LINK.exec(rest)?.[1];
  if (target === undefined && (rest !== "" || letter === "l" || letter === "h")) {
    if (!rest.startsWith(" unknown file type ")) throw unreadable(line);
  }
  return {
    type: "-dlhbcps".includes(letter) ? (letter as MemberType) : letter === "C" ? "-" : "other",
    name: unquote(name),
    ...(target !== undefined && { target: unquote(target) }),
    ...(size.includes(",")
      ? {
          device: size,
          attributes: {
            mode: parseMode(mode),
            uid: Number(uid),
            gid: Number(gid),
            modifiedAt: parseTime(time),
          },
        }
      : { size: Number(size) }),
  };
}

/** The number of a mode such as `rwsr-xr-T`. */
function parseMode(text: string): number {
  let mode = 0;
  for (const [index, letter] of [...text].entries()) {
    if (/[rwxst]/.test(letter)) mode |= 0o400 >> index;
    // The third, sixth and ninth letter also stand for set-uid, set-gid and sticky.
    if (/[sStT]/.test(letter)) mode |= 0o4000 >> Math.floor(index / 3);
  }
  return mode;
}

/** The time of the listing, which is in UTC; 0 for one that no calendar has. */
function parseTime(text: string): number {
  const time = Date.parse(`${text.trim().replace(" ", "T")}Z`);
  return Number.isNaN(time) ? 0 : time;
}

/** The bytes of a quoted C string. */
function unquote(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
      code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8) & 0xff) : (escapes[code] ?? code),
    );
}

function unreadable(line: string): TremplinError {
  const listed = quoteName(line.replace(/^block \d+: /, ""));
  return new TremplinError("failed", `the backup has a member of a kind that cannot be read: ${listed}`);
}

/**
 * The components of a path in an archive, without empty ones and `.`. Throws `invalid` for an absolute path and for
 * one with `..`.
 */
export function splitMemberPath(name: string): string[] {
  const components = name.split("/").filter((part) => part !== "" && part !== ".");
  if (name.startsWith("/") || components.includes("..")) {
    throw new TremplinError("invalid", `the backup names ${quoteName(name)}, which is outside the container`);
  }
  return components;
}

/** A name in an archive for messages: quoted, on one line, bounded. */
export function quoteName(name: string): string {
  return JSON.stringify(displayText(name.length > 200 ? `${name.slice(0, 200)}...` : name));
}
