import { createHash, timingSafeEqual } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import type { Interceptor } from "@connectrpc/connect";
import { systemErrorText } from "../base/system-error.ts";
import { TremplinError } from "../base/tremplin-error.ts";

/** The shortest token: 128 bits in hexadecimal. */
const MIN_LENGTH = 32;
const MAX_LENGTH = 512;
const ADVICE = "make one with (umask 077; openssl rand -hex 32 > FILE)";

/** A token that a server accepts; `guest`: the guest that shares it with the host. */
export interface AcceptedToken {
  readonly token: string;
  readonly guest?: string | undefined;
}

/**
 * Reads the token in a file. Throws `invalid` for a file that others than its owner, who runs this program, can access,
 * or that has no usable token.
 */
export function readToken(path: string): string {
  const token = readPrivate(path).trim();
  if (token.length >= MIN_LENGTH && token.length <= MAX_LENGTH && /^[\w.~+/=-]+$/.test(token)) return token;
  throw new TremplinError(
    "invalid",
    `${path} has no token: it must have one line of ${MIN_LENGTH} to ${MAX_LENGTH} letters, digits and . ~ + / = - _; ${ADVICE}`,
  );
}

function readPrivate(path: string): string {
  // A pipe would block.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  let fd: number;
  try {
    fd = openSync(path, flags);
  } catch (error) {
    throw new TremplinError("invalid", `cannot read the token in ${path}: ${systemErrorText(error)}`, error);
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > 4 * MAX_LENGTH) {
      throw new TremplinError("invalid", `${path} is not a file with a token: ${ADVICE}`);
    }
    if (stat.uid !== process.geteuid?.()) {
      throw new TremplinError("invalid", `will not use the token in ${path}: it belongs to another user`);
    }
    if ((stat.mode & 0o077) !== 0) {
      throw new TremplinError(
        "invalid",
        `will not use the token in ${path}: other users may read or change the file; run chmod 600 ${path}, and make a new token if they have`,
      );
    }
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

/** The accepted token in the metadata `authorization: Bearer TOKEN`. Takes the same time for each wrong one. */
export function findToken(
  accepted: readonly AcceptedToken[],
  authorization: string | undefined,
): AcceptedToken | undefined {
  const presented = digest(/^Bearer +([\w.~+/=-]+)$/i.exec(authorization ?? "")?.[1] ?? "");
  let found: AcceptedToken | undefined;
  for (const each of accepted) if (timingSafeEqual(digest(each.token), presented)) found = each;
  return found;
}

/** Presents a token in every call. */
export function presentToken(token: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
