import { abortable } from "../../base/async/abortable.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import { hasEnded, type OperationRecord } from "./operation-record.ts";
import { waitForOperation } from "./wait-for-operation.ts";

/**
 * An operation that the engine has accepted. Its result is requested at once, because the engine forgets an operation
 * 5 s after its end (docs/engines.md#operations-and-events), and kept for later calls of wait().
 */
export class EngineOperation {
  readonly id: string;
  readonly description: string;
  readonly #http: EngineHttp;
  readonly #end: Promise<OperationRecord>;
  #latest: OperationRecord;
  #updates = 0;
  #ended = false;
  #changed = Promise.withResolvers<void>();

  /** `initial` is the engine's response; `hidesOperation` is the flavor's waitHidesOperation. */
  constructor(http: EngineHttp, initial: OperationRecord, hidesOperation: boolean) {
    this.id = initial.id;
    this.description = initial.description;
    this.#http = http;
    this.#latest = initial;
    this.#end = waitForOperation(http, initial, hidesOperation).finally(() => {
      this.#ended = true;
      this.#wake();
    });
    this.#end.catch(() => undefined);
  }

  /** The newest known version. */
  get latest(): OperationRecord {
    return this.#latest;
  }

  /** Accepts the update of any operation, and ignores those of others. */
  deliver(update: OperationRecord): void {
    if (update.id !== this.id || hasEnded(update)) return;
    this.#latest = update;
    this.#updates++;
    this.#wake();
  }

  /**
   * Returns the operation when it has succeeded. Throws `failed`, `exists` or `busy` with the engine's message,
   * `cancelled` if it was cancelled, `unavailable` if the engine became unreachable. An abort rejects at once and
   * does not cancel the operation.
   */
  async wait(options: { signal?: AbortSignal | undefined } = {}): Promise<OperationRecord> {
    return abortable(this.#end, options.signal);
  }

  /** Yields each change while it runs (only the newest of several), and returns the result of wait(). */
  async *follow(signal?: AbortSignal): AsyncGenerator<OperationRecord, OperationRecord, void> {
    yield* this.updates(signal);
    return this.wait({ signal });
  }

  /** Yields each change, and returns when the operation ends, even if it failed. */
  async *updates(signal?: AbortSignal): AsyncGenerator<OperationRecord, void, void> {
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

  /** Asks the engine to cancel it. Throws `failed` if it cannot be cancelled (see may_cancel). */
  async cancel(options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#http.call({ method: "DELETE", path: `/1.0/operations/${this.id}`, signal: options.signal });
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
