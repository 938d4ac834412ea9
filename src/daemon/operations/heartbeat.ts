import type { Clock } from "../../base/async/clock.ts";

/**
 * Passes progress on, and when there has been none for a while asks what to say: `whenSilent` is called with
 * the milliseconds of silence so far and returns a message to yield, or throws to give up.
 */
export async function* withHeartbeat<T, R>(
  progress: AsyncGenerator<T, R, void>,
  options: { every: number; clock: Clock },
  whenSilent: (silence: number) => T,
): AsyncGenerator<T, R, void> {
  const { every, clock } = options;
  let next = progress.next();
  let silence = 0;
  for (;;) {
    const timer = new AbortController();
    const silent = clock.sleep(every, timer.signal).then(
      () => undefined,
      () => undefined,
    );
    // A timer that is left behind would hold up the end of the daemon.
    const result = await Promise.race([next, silent]).finally(() => timer.abort());
    if (!result) {
      silence += every;
      yield whenSilent(silence);
      continue;
    }
    if (result.done) return result.value;
    silence = 0;
    yield result.value;
    next = progress.next();
  }
}

/** A promise as progress that only ends. */
export async function* fromPromise<R>(work: Promise<R>): AsyncGenerator<never, R, void> {
  return work;
}

/** Between a second and half a second, which is how often hosts want to hear of progress that moves. */
const SAMPLE = 600;

/** Tells how far work is: at once, and then about twice in a second. */
export async function* pollProgress<T, R>(
  work: Promise<R>,
  look: () => T,
  clock: Clock,
): AsyncGenerator<T, R, void> {
  work.catch(() => undefined);
  yield look();
  return yield* withHeartbeat(fromPromise(work), { every: SAMPLE, clock }, look);
}
