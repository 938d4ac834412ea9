import type { Clock } from "../../base/async/clock.ts";
import { Tickets } from "./tickets.ts";

export { digest, newSecret, SECRET_LENGTH } from "./tickets.ts";

const LIFETIME_MS = 10 * 60_000;

/** Tokens that are accepted once, within ten minutes, by the host that made them. */
export class OneTimeTokens {
  readonly #clock: Clock;
  readonly #tickets: Tickets<"sign-in">;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#tickets = new Tickets(clock, { lifetimeMs: LIFETIME_MS, most: 32 });
  }

  /** `expiresAt`: milliseconds since 1970. */
  create(): { readonly token: string; readonly expiresAt: number } {
    return { token: this.#tickets.create("sign-in"), expiresAt: this.#clock.now() + LIFETIME_MS };
  }

  /** Whether a token is accepted, now and never again. */
  redeem(token: string): boolean {
    return this.#tickets.redeem(token) !== undefined;
  }
}
