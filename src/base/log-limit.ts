import type { Clock } from "./async/clock.ts";

/** The keys whose lines are counted at the same time. */
const MAX_KEYS = 1_000;

interface Window {
  since: number;
  lines: number;
  omitted: number;
}

/**
 * Limits log lines that others can cause: a number of lines of each key in each period. The first line of a later
 * period has the number of those that were left out.
 */
export class LogLimit {
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #lines: number;
  readonly #periodMs: number;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Pick<Clock, "elapsed">, { lines = 10, periodMs = 60_000 } = {}) {
    this.#clock = clock;
    this.#lines = lines;
    this.#periodMs = periodMs;
  }

  /** Undefined where the line must not be written, otherwise what to add to it. */
  admit(key: string): { readonly omitted?: number } | undefined {
    const now = this.#clock.elapsed();
    const known = this.#windows.get(key);
    if (known && now - known.since < this.#periodMs) {
      if (known.lines < this.#lines) {
        known.lines += 1;
        return {};
      }
      known.omitted += 1;
      return undefined;
    }
    this.#forgetOldest(known ? MAX_KEYS + 1 : MAX_KEYS);
    this.#windows.delete(key);
    this.#windows.set(key, { since: now, lines: 1, omitted: 0 });
    return known?.omitted ? { omitted: known.omitted } : {};
  }

  #forgetOldest(max: number): void {
    const [oldest] = this.#windows.keys();
    if (this.#windows.size >= max && oldest !== undefined) this.#windows.delete(oldest);
  }
}
