import type { TracingChannel } from "node:diagnostics_channel";

/** What a piece of work has when it has ended. */
export interface Ended {
  readonly seconds: number;
  /** What it threw. */
  readonly error: unknown;
}

/** Calls `onEnd` after each piece of work, until the result is disposed. `elapsed`: milliseconds. */
export function onEnd<T extends object>(
  works: TracingChannel<unknown, T>,
  elapsed: () => number,
  onEnd: (about: T, ended: Ended) => void,
): Disposable {
  const begun = new WeakMap<object, number>();
  const start = (about: unknown): void => void begun.set(about as T, elapsed());
  const end = (about: unknown): void => {
    const since = begun.get(about as T);
    // It began before anybody followed it.
    if (since === undefined) return;
    onEnd(about as T, { seconds: (elapsed() - since) / 1000, error: (about as { error?: unknown }).error });
  };
  works.start.subscribe(start);
  works.asyncEnd.subscribe(end);
  return {
    [Symbol.dispose]() {
      works.start.unsubscribe(start);
      works.asyncEnd.unsubscribe(end);
    },
  };
}
