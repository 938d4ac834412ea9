/** Where a person sees how work goes. Silence is never shown as a stand-still: it says how old the last sign is. */
export interface Progress extends AsyncDisposable {
  /** Something was heard of the work. `bytes`: how many it has gone through so far, where it counts them. */
  step(words: string, percent?: number, bytes?: number): void;
  /** The work is known to go on, though nothing new was heard. Ends a doubt. */
  alive(): void;
  /** Whether the work goes on is not known, for example because who does it is away. No sign of life. */
  doubt(why: string): void;
  /** A sentence of its own, above what is shown. */
  say(sentence: string): void;
}

/** For programs, which read events themselves. */
export const noProgress: Progress = {
  step: () => undefined,
  alive: () => undefined,
  doubt: () => undefined,
  say: () => undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
