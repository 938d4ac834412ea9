import { once } from "node:events";
import { TremplinError } from "../tremplin-error.ts";
import { backoff } from "./backoff.ts";
import type { Clock } from "./clock.ts";

export interface ReconcilerOptions {
  /** Looks at everything, until the signal aborts; must not throw. False: something is not right yet. */
  readonly look: (signal: AbortSignal) => Promise<boolean>;
  /** How long askers are gathered before a look, in milliseconds. */
  readonly gather: number;
  /** After how long it looks again by itself at what was not right: first, and at most (backoff.ts). */
  readonly again: readonly [first: number, last: number];
  readonly clock: Clock;
}

/** Looks soon after somebody asked, once for all who did, and again for whoever asks while it looks. */
export class Reconciler implements AsyncDisposable {
  readonly #options: ReconcilerOptions;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;
  #asked = new AbortController();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  ask(): void {
    this.#asked.abort();
  }

  /** Ends the look that is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new TremplinError("cancelled", "nobody looks any more"));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { look, gather, again, clock } = this.#options;
    const { signal } = this.#ending;
    const sleep = (time: number, until: AbortSignal) => clock.sleep(time, until).catch(() => undefined);
    let right = true;
    let pauses = backoff(...again);
    while (!signal.aborted) {
      const woken = AbortSignal.any([signal, this.#asked.signal]);
      if (!right) await sleep(pauses.next().value, woken);
      else if (!woken.aborted) await once(woken, "abort");
      await sleep(gather, signal);
      if (signal.aborted) return;
      this.#asked = new AbortController();
      right = await look(signal);
      if (right) pauses = backoff(...again);
    }
  }
}
