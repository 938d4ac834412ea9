import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../../base/async/clock.ts";

export interface TokenRules {
  readonly lifetimeMs: number;
  /** How many may wait for their use at once. The oldest gives way. */
  readonly most: number;
}

/** Tokens that are accepted once and for a while by the host that made them. Each stands for a value. */
export class OneTimeTokens<T> {
  readonly #clock: Clock;
  readonly #rules: TokenRules;
  /** By their digests: the tokens themselves are nowhere. */
  readonly #all = new Map<string, { readonly value: T; readonly deadline: number }>();

  constructor(clock: Clock, rules: TokenRules) {
    this.#clock = clock;
    this.#rules = rules;
  }

  /** `expiresAt`: milliseconds since 1970. */
  create(value: T): { readonly token: string; readonly expiresAt: number } {
    const { lifetimeMs, most } = this.#rules;
    const [oldest] = this.#all.keys();
    if (oldest !== undefined && this.#all.size >= most) this.#all.delete(oldest);
    const token = newSecret();
    this.#all.set(digest(token), { value, deadline: this.#clock.elapsed() + lifetimeMs });
    return { token, expiresAt: this.#clock.now() + lifetimeMs };
  }

  /** What an accepted token stands for, now and never again. Undefined: it is not accepted. */
  redeem(token: string): T | undefined {
    const key = digest(token);
    const found = this.#all.get(key);
    this.#all.delete(key);
    return found && this.#clock.elapsed() < found.deadline ? found.value : undefined;
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
