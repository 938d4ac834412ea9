import { abortable } from "../../base/async/abortable.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import { hasEnded, type Operation } from "./operation.ts";
import { waitForEnd } from "./wait-for-end.ts";

/**
 * Work that the engine accepted. Its end is asked for at once, because the engine forgets an operation 5 s
 * after it ended (behaviour.md 12 item 13); whoever waits later gets the kept answer.
 */
export class EngineOperation {
  readonly id: string;
  readonly description: string;
  readonly #http: EngineHttp;
  readonly #end: Promise<Operation>;
  #latest: Operation;
  #updates = 0;
  #ended = false;
  #changed = Promise.withResolvers<void>();

  /** `begun` as the engine answered it; `hidesOperation` is the flavor's waitHidesOperation. */
  constructor(http: EngineHttp, begun: Operation, hidesOperation: boolean) {
    this.id = begun.id;
    this.description = begun.description;
    this.#http = http;
    this.#latest = begun;
    this.#end = waitForEnd(http, begun, hidesOperation).finally(() => {
      this.#ended = true;
      this.#wake();
    });
    this.#end.catch(() => undefined);
  }

  /** The newest that is known of it. */
  get latest(): Operation {
    return this.#latest;
  }

  /** Takes in what an event says of any operation; others than this one are left alone. */
  deliver(update: Operation): void {
    if (update.id !== this.id || hasEnded(update)) return;
    this.#latest = update;
    this.#updates++;
    this.#wake();
  }

  /**
   * The operation once it succeeded. Throws `failed` (or `exists`) with the engine's words, `cancelled` if it
   * was cancelled, `unavailable` if the engine went away. An abort rejects at once and cancels nothing.
   */
  async wait(options: { signal?: AbortSignal | undefined } = {}): Promise<Operation> {
    return abortable(this.#end, options.signal);
  }

  /** Yields each change while it runs (the newest only, if many wait), and returns what wait() gives. */
  async *follow(signal?: AbortSignal): AsyncGenerator<Operation, Operation, void> {
    yield* this.updates(signal);
    return this.wait({ signal });
  }

  /** The changes alone; ends quietly when the operation ends, however it does. */
  async *updates(signal?: AbortSignal): AsyncGenerator<Operation, void, void> {
    let seen = 0;
    while (!this.#ended) {
      if (seen < this.#updates) {
        seen = this.#updates;
        yield this.#latest;
      } else {
        await abortable(this.#changed.promise, signal);
      }
    }
  }

  /** Asks the engine to cancel it. Throws `failed` for one that cannot be (see may_cancel). */
  async cancel(options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#http.call({ method: "DELETE", path: `/1.0/operations/${this.id}`, signal: options.signal });
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
