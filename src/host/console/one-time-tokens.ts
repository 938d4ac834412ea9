import type { Clock } from "../../base/async/clock.ts";
import { type TicketRules, Tickets } from "./tickets.ts";

export { digest, newSecret, SECRET_LENGTH } from "./tickets.ts";

/** Tokens that are accepted once and for a while by the host that made them, and say until when. Each stands for a value. */
export class OneTimeTokens<T> {
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  readonly #tickets: Tickets<T>;

  constructor(clock: Clock, rules: TicketRules) {
    this.#clock = clock;
    this.#lifetimeMs = rules.lifetimeMs;
    this.#tickets = new Tickets(clock, rules);
  }

  /** `expiresAt`: milliseconds since 1970. */
  create(value: T): { readonly token: string; readonly expiresAt: number } {
    return { token: this.#tickets.create(value), expiresAt: this.#clock.now() + this.#lifetimeMs };
  }

  /** What an accepted token stands for, now and never again. Undefined: it is not accepted. */
  redeem(token: string): T | undefined {
    return this.#tickets.redeem(token);
  }
}
