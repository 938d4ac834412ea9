/**
 * The display of an operation's progress. It never shows silence as a standstill: it shows how long ago the last sign of
 * life was.
 */
export interface Progress extends AsyncDisposable {
  /** Shows a new message. `percent`: 0 to 100. `bytes`: bytes processed so far. Counts as a sign of life. */
  update(message: string, percent?: number, bytes?: number): void;
  /** The operation is known to continue, although there is no new message. Ends `stalled`. */
  heartbeat(): void;
  /** Shows why it is not known whether the operation continues, for example because the host is unreachable. */
  stalled(reason: string): void;
  /** Prints a sentence that stays, above the progress. */
  print(sentence: string): void;
}

/** Shows nothing: programs read the events themselves. */
export const noProgress: Progress = {
  update: () => undefined,
  heartbeat: () => undefined,
  stalled: () => undefined,
  print: () => undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
