/**
 * An AbortSignal that aborts when the time is up or when one of the outer signals aborts, whichever is first; its
 * reason says which. It uses real time, because it limits real input and output.
 */
export class TimeLimit implements Disposable {
  readonly signal: AbortSignal;
  readonly #outer: readonly AbortSignal[];
  readonly #timer: NodeJS.Timeout;
  readonly #forward: (event: Event) => void;

  constructor(milliseconds: number, late: () => Error, outer: readonly (AbortSignal | undefined)[]) {
    const controller = new AbortController();
    this.signal = controller.signal;
    this.#timer = setTimeout(() => controller.abort(late()), milliseconds);
    this.#forward = (event) => controller.abort((event.target as AbortSignal).reason);
    this.#outer = outer.filter((signal) => signal !== undefined);
    for (const signal of this.#outer) {
      if (signal.aborted) controller.abort(signal.reason);
      else signal.addEventListener("abort", this.#forward, { once: true });
    }
  }

  /** Restarts the time, because there was progress. */
  restart(): void {
    this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const signal of this.#outer) signal.removeEventListener("abort", this.#forward);
  }
}
