import { setTimeout as delay } from "node:timers/promises";

/** The source of time, injected into everything that waits, so that tests control it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Milliseconds since an arbitrary instant, for durations and deadlines: CLOCK_MONOTONIC, as for the timers of Node.js.
   * It does not jump when the time is set, and stands still while the machine is suspended: after that a deadline is as
   * far away as before, so that nothing is given up because the machine slept.
   */
  elapsed(): number;
  /** Resolves after that many milliseconds; rejects with the signal's reason when the signal aborts first. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  async sleep(milliseconds, signal) {
    try {
      await delay(milliseconds, undefined, signal ? { signal } : undefined);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};
