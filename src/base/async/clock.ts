import { setTimeout as delay } from "node:timers/promises";

/** Where time comes from. Injected wherever something waits, so that tests own the time. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some instant. For durations: it does not jump when the time is set or the machine slept. */
  elapsed(): number;
  /** Resolves after some milliseconds; rejects with the reason of the signal when that aborts first. */
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
