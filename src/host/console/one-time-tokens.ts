import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../../base/async/clock.ts";

const LIFETIME_MS = 10 * 60_000;

/** More than one person asks for at once. The oldest gives way. */
const MOST = 32;

/** Tokens that are accepted once, within ten minutes, by the host that made them. */
export class OneTimeTokens {
  readonly #clock: Clock;
  /** When each ends, by its digest: the tokens themselves are nowhere. */
  readonly #deadlines = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `expiresAt`: milliseconds since 1970. */
  create(): { readonly token: string; readonly expiresAt: number } {
    const [oldest] = this.#deadlines.keys();
    if (oldest !== undefined && this.#deadlines.size >= MOST) this.#deadlines.delete(oldest);
    const token = newSecret();
    this.#deadlines.set(digest(token), this.#clock.elapsed() + LIFETIME_MS);
    return { token, expiresAt: this.#clock.now() + LIFETIME_MS };
  }

  /** Whether a token is accepted, now and never again. */
  redeem(token: string): boolean {
    const key = digest(token);
    const deadline = this.#deadlines.get(key);
    this.#deadlines.delete(key);
    return deadline !== undefined && this.#clock.elapsed() < deadline;
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
