import { createHash } from "node:crypto";
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
  if (isToken(token)) return token;
  throw new TremplinError(
    "invalid",
    `${path} has no token: it must have one line of ${TOKEN_RULE}; ${ADVICE}`,
  );
}

/** Whether a text is long enough for a token, and can be sent as one. */
export function isToken(text: string): boolean {
  return text.length >= MIN_LENGTH && text.length <= MAX_LENGTH && /^[\w.~+/=-]+$/.test(text);
}

/** What a token must be, for messages. */
export const TOKEN_RULE = `${MIN_LENGTH} to ${MAX_LENGTH} letters, digits and . ~ + / = - _`;

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

/** The tokens that a server accepts; they may change while it runs. */
export class AcceptedTokens {
  /** By their digests: how long it takes to find one says nothing about the token. */
  readonly #byDigest = new Map<string, AcceptedToken>();

  constructor(tokens: Iterable<AcceptedToken> = []) {
    for (const each of tokens) this.add(each);
  }

  get isEmpty(): boolean {
    return this.#byDigest.size === 0;
  }

  add(accepted: AcceptedToken): void {
    this.#byDigest.set(digest(accepted.token), accepted);
  }

  delete({ token }: AcceptedToken): void {
    this.#byDigest.delete(digest(token));
  }

  /** The one in the metadata `authorization: Bearer TOKEN`. */
  find(authorization: string | undefined): AcceptedToken | undefined {
    const presented = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization ?? "")?.[1];
    return presented === undefined ? undefined : this.#byDigest.get(digest(presented));
  }
}

/** Presents a token in every call. */
export function presentToken(token: string): Interceptor {
  return (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
