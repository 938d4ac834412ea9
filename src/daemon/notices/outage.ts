import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";

/** The time in which notices wait for the host. */
export interface HostAway {
  /** Milliseconds since 1970. */
  readonly since: number;
  /** What the last try came to. */
  readonly reason: string;
}

/** Knows whether the host is away, and logs once when it goes and once when all that had to wait was answered. */
export class Outage {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #waiting = new Set<object>();
  #away: HostAway | undefined;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Undefined while the host answers. */
  get current(): HostAway | undefined {
    return this.#away;
  }

  /** The head of a queue could not be delivered, and will be tried again. */
  began(queue: object, reason: string): void {
    this.#waiting.add(queue);
    if (!this.#away) this.#log.warn({ reason }, "the host is away: notices wait until it is back");
    this.#away = { since: this.#away?.since ?? this.#clock.now(), reason };
  }

  /** The head of a queue was answered. */
  ended(queue: object): void {
    if (!this.#waiting.delete(queue) || this.#waiting.size > 0 || !this.#away) return;
    const seconds = Math.round((this.#clock.now() - this.#away.since) / 1000);
    this.#away = undefined;
    this.#log.warn({ seconds }, "the host is back");
  }
}
