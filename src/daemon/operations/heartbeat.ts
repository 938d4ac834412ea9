import type { Clock } from "../../base/async/clock.ts";

/**
 * Passes messages on, and yields a heartbeat after each interval without one. `heartbeat` gets the milliseconds of
 * silence so far and returns the message, undefined for none, or throws to give up.
 */
export async function* withHeartbeat<T, R>(
  messages: AsyncGenerator<T, R, void>,
  options: { every: number; clock: Clock },
  heartbeat: (silence: number) => T | undefined | Promise<T | undefined>,
): AsyncGenerator<T, R, void> {
  const { every, clock } = options;
  let next = messages.next();
  let silence = 0;
  for (;;) {
    const timer = new AbortController();
    const silent = clock.sleep(every, timer.signal).then(
      () => undefined,
      () => undefined,
    );
    // A timer that still ran would delay the shutdown.
    const result = await Promise.race([next, silent]).finally(() => timer.abort());
    if (!result) {
      silence += every;
      const message = await heartbeat(silence);
      if (message !== undefined) yield message;
      continue;
    }
    if (result.done) return result.value;
    silence = 0;
    yield result.value;
    next = messages.next();
  }
}

/** A promise as a generator without messages. */
export async function* fromPromise<R>(work: Promise<R>): AsyncGenerator<never, R, void> {
  return work;
}

/** Yields the message at once, and after each interval until the work, which begins after the first one, has ended. */
export async function* repeatWhile<T, R>(
  message: () => T,
  work: () => Promise<R>,
  options: { every: number; clock: Clock },
): AsyncGenerator<T, R, void> {
  yield message();
  return yield* withHeartbeat(fromPromise(work()), options, message);
}

/** Hosts expect progress between once and twice per second. */
const POLL_INTERVAL_MS = 600;

/** Yields the current progress of `work` at once, and then about twice per second; nothing while there is none. */
export async function* pollProgress<T, R>(
  work: Promise<R>,
  current: () => T | undefined,
  clock: Clock,
): AsyncGenerator<T, R, void> {
  work.catch(() => undefined);
  const first = current();
  if (first !== undefined) yield first;
  return yield* withHeartbeat(fromPromise(work), { every: POLL_INTERVAL_MS, clock }, current);
}
