import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../../base/async/clock.ts";

export interface TicketRules {
  /** How long a ticket may be used. */
  readonly lifetimeMs: number;
  /** More than are asked for at once. The oldest gives way. */
  readonly most: number;
}

/**
 * Tickets for URLs: whoever has one may use it once, soon, for the thing that it was made for. They are for requests
 * that browsers send without the headers of a call: opening a URL, saving a file, a WebSocket.
 */
export class Tickets<T> {
  readonly #clock: Clock;
  readonly #rules: TicketRules;
  /** By their digests: the tickets themselves are nowhere. */
  readonly #waiting = new Map<string, { readonly purpose: T; readonly deadline: number }>();

  constructor(clock: Clock, rules: TicketRules) {
    this.#clock = clock;
    this.#rules = rules;
  }

  create(purpose: T): string {
    const [oldest] = this.#waiting.keys();
    if (oldest !== undefined && this.#waiting.size >= this.#rules.most) this.#waiting.delete(oldest);
    const ticket = newSecret();
    this.#waiting.set(digest(ticket), { purpose, deadline: this.#clock.elapsed() + this.#rules.lifetimeMs });
    return ticket;
  }

  /** What a ticket was made for, now and never again; undefined for any that is not accepted. */
  redeem(ticket: string): T | undefined {
    const key = digest(ticket);
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
