import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";

/** The time in which the host is unreachable and notices wait for it. */
export interface HostOutage {
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Why the last try failed. */
  readonly reason: string;
}

/**
 * Tracks whether the host is unreachable. Logs once when an outage begins, and once when every queue that had to
 * wait has got an answer.
 */
export class Outage {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #waiting = new Set<object>();
  #current: HostOutage | undefined;
  #beganAt = 0;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Undefined while the host answers. */
  get current(): HostOutage | undefined {
    return this.#current;
  }

  /** The head of a queue could not be delivered and will be retried. */
  unreachable(queue: object, reason: string): void {
    this.#waiting.add(queue);
    if (!this.#current) {
      this.#log.warn({ reason }, "the host is unreachable: notices wait until it answers");
      this.#beganAt = this.#clock.elapsed();
    }
    this.#current = { since: this.#current?.since ?? this.#clock.now(), reason };
  }

  /** The host answered the head of a queue. */
  answered(queue: object): void {
    if (!this.#waiting.delete(queue) || this.#waiting.size > 0 || !this.#current) return;
    const seconds = Math.round((this.#clock.elapsed() - this.#beganAt) / 1000);
    this.#current = undefined;
    this.#log.warn({ seconds }, "the host answers again");
  }
}
