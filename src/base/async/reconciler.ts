import { TremplinError } from "../tremplin-error.ts";
import { backoff } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { untilAborted } from "./until-aborted.ts";

export interface ReconcilerOptions {
  /** Compares and corrects everything until the signal aborts; must not throw. False: retry later. */
  readonly reconcile: (signal: AbortSignal) => Promise<boolean>;
  /** Triggers within this time share one run. */
  readonly debounceMs: number;
  /** First and longest delay before a run that returned false is repeated (backoff.ts). */
  readonly retryDelaysMs: readonly [first: number, last: number];
  readonly clock: Clock;
}

/** Runs `reconcile` soon after a trigger, once for all triggers meanwhile, and again for those that arrive while it runs. */
export class Reconciler implements AsyncDisposable {
  readonly #options: ReconcilerOptions;
  readonly #shutdown = new AbortController();
  readonly #running: Promise<void>;
  #triggered = new AbortController();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  trigger(): void {
    this.#triggered.abort();
  }

  /** Aborts the current run. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#shutdown.abort(new TremplinError("cancelled", "the reconciler was stopped"));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { reconcile, debounceMs, retryDelaysMs, clock } = this.#options;
    const { signal } = this.#shutdown;
    const sleep = (time: number, until: AbortSignal) => clock.sleep(time, until).catch(() => undefined);
    let isDone = true;
    let pauses = backoff(...retryDelaysMs);
    while (!signal.aborted) {
      const woken = AbortSignal.any([signal, this.#triggered.signal]);
      if (!isDone) await sleep(pauses.next().value, woken);
      else await untilAborted(woken);
      await sleep(debounceMs, signal);
      if (signal.aborted) return;
      this.#triggered = new AbortController();
      isDone = await reconcile(signal);
      if (isDone) pauses = backoff(...retryDelaysMs);
    }
  }
}
