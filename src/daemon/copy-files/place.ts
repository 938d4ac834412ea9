import { posix } from "node:path";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { parsePasswd } from "../guest/account-database.ts";
import { readPasswd } from "../guest/account-files.ts";
import type { PasswdEntry } from "../guest/account-formats.ts";
import { ifInaccessible } from "../guest/container-files.ts";
import { MAX_PATH_LENGTH } from "../guest/container-trees.ts";
import { encodeLatin1 } from "../guest/lossless-text.ts";
import { findPrimaryUser } from "../guest/primary-user.ts";

export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** Who works in a container. */
export interface Person extends Ids {
  /** Latin1, absolute. */
  readonly home: string;
}

const ROOT: Person = { uid: 0, gid: 0, home: "/root" };
const MAX_ID = 2 ** 32 - 2;

/** The primary user of a container; root where there is none, or where the accounts cannot be read. */
export async function personOf(files: FileSession): Promise<Person> {
  const user = await findPrimaryUser(files).catch(ifInaccessible);
  if (!user) return ROOT;
  const isUsable = posix.isAbsolute(user.home) && user.home.length < MAX_PATH_LENGTH;
  return { uid: user.uid, gid: user.gid, home: isUsable ? user.home : "/" };
}

/** The whole path, in latin1, that bytes of a request mean to a person. Throws `invalid` for what can be none. */
export function wholePath(bytes: Uint8Array, { home }: Pick<Person, "home">): string {
  const path = Buffer.from(bytes).toString("latin1");
  const whole = posix.normalize(posix.isAbsolute(path) ? path : `${home}/${path}`).replace(/(?<=.)\/$/, "");
  if (path.includes("\0") || whole.length >= MAX_PATH_LENGTH) {
    throw new TremplinError("invalid", "the path is too long, or has a zero byte");
  }
  return whole;
}

/** The ids that `owner` means: the name of an account, UID or UID:GID. Undefined for none. */
export async function idsOf(files: FileSession, owner: string): Promise<Ids | undefined> {
  if (owner === "") return undefined;
  const numbers = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(owner);
  if (numbers) return checked({ uid: Number(numbers[1]), gid: Number(numbers[2] ?? numbers[1]) }, owner);
  const name = Buffer.from(owner).toString("latin1");
  const user = parsePasswd(await readPasswd(files)).find(
    (each: PasswdEntry) => each.name === name,
    "the owner",
  );
  if (user) return { uid: user.uid, gid: user.gid };
  throw new TremplinError("invalid", `there is no account ${JSON.stringify(owner)} in the container`);
}

function checked(ids: Ids, owner: string): Ids {
  if (ids.uid <= MAX_ID && ids.gid <= MAX_ID) return ids;
  throw new TremplinError("invalid", `${owner} are no ids`);
}

/** A latin1 path as the bytes that it is. */
export function bytesOf(path: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encodeLatin1(path));
}
