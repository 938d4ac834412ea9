import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../../base/async/clock.ts";

export interface OneTimeRules {
  /** How long one may be used. */
  readonly lifetimeMs: number;
  /** More than are asked for at once. The oldest gives way. */
  readonly most: number;
}

/** A secret, and until when it is accepted: milliseconds since 1970. */
export interface OneTimeToken {
  readonly token: string;
  readonly expiresAt: number;
}

/**
 * Tokens that are accepted once, soon, by the host that made them, for the thing that each was made for. They are for
 * requests that browsers send without the headers of a call: opening a URL, saving a file, a WebSocket.
 */
export class OneTimeTokens<T> {
  readonly #clock: Clock;
  readonly #rules: OneTimeRules;
  /** By their digests: the tokens themselves are nowhere. */
  readonly #waiting = new Map<string, { readonly purpose: T; readonly deadline: number }>();

  constructor(clock: Clock, rules: OneTimeRules) {
    this.#clock = clock;
    this.#rules = rules;
  }

  create(purpose: T): OneTimeToken {
    const { lifetimeMs, most } = this.#rules;
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined && this.#waiting.size >= most) this.#waiting.delete(oldest);
    const token = newSecret();
    this.#waiting.set(digest(token), { purpose, deadline: this.#clock.elapsed() + lifetimeMs });
    return { token, expiresAt: this.#clock.now() + lifetimeMs };
  }

  /** What a token was made for, now and never again; undefined for any that is not accepted. */
  redeem(token: string): T | undefined {
    const key = digest(token);
    const found = this.#waiting.get(key);
    this.#waiting.delete(key);
    return found && this.#clock.elapsed() < found.deadline ? found.purpose : undefined;
  }
}

/** Characters of a secret. */
export const SECRET_LENGTH = 43;

/** 256 bits that nobody can guess, for URLs and cookies. */
export function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** What may be kept of a secret. Looking one up by it takes a time that says nothing about the secret. */
export function digest(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
