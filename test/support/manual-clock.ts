import type { Clock } from "../../src/base/async/clock.ts";

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  #offset = 0;
  #sleepers: Sleeper[] = [];
  #watchers: { readonly count: number; readonly resolve: () => void }[] = [];

  now(): number {
    return this.#now + this.#offset;
  }

  elapsed(): number {
    return this.#now;
  }

  /** Sets the time, forward or back; nothing that sleeps notices. */
  jump(milliseconds: number): void {
    this.#offset += milliseconds;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal?.aborted) return Promise.reject(signal.reason);
    const sleeper = { until: this.#now + milliseconds, wake: resolve };
    const forget = (): void => {
      this.#sleepers = this.#sleepers.filter((each) => each !== sleeper);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", forget, { once: true });
    this.#sleepers.push(sleeper);
    this.#watchers = this.#watchers.filter(({ count, resolve: seen }) => {
      if (this.#sleepers.length < count) return true;
      seen();
      return false;
    });
    return promise.finally(() => signal?.removeEventListener("abort", forget));
  }

  /** Resolves once so many are asleep: then whoever waits on this clock has got that far. */
  sleeping(count = 1): Promise<void> {
    if (this.#sleepers.length >= count) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#watchers.push({ count, resolve });
    return promise;
  }

  /** Moves the time and wakes whoever's time has come. */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
    const due = this.#sleepers.filter(({ until }) => until <= this.#now);
    this.#sleepers = this.#sleepers.filter(({ until }) => until > this.#now);
    for (const { wake } of due) wake();
  }
}
