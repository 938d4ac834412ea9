import { abortable } from "./abortable.ts";

/** Runs tasks of the same key one after the other, in the order in which they were given. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>();

  /** Rejects with the signal's reason, without running the task, when that aborts while the task waits. */
  async run<T>(key: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const { promise: done, resolve: finish } = Promise.withResolvers<void>();
    const tail = before.then(() => done);
    this.#tails.set(key, tail);
    try {
      await abortable(before, signal);
      return await task();
    } finally {
      finish();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}
