/** What every method of the engine client takes. */
export interface Options {
  /** Rejects the call at once, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}
