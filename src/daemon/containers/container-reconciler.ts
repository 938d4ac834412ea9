import type { Clock } from "../../base/async/clock.ts";
import { Reconciler } from "../../base/async/reconciler.ts";
import type { Logger } from "../../base/logger.ts";
import { isUnavailable } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { EngineEvent } from "../../engine/events/engine-event.ts";

export interface ContainerReconcilerOptions {
  /** Compares and corrects something of all containers. False: one of them failed, so it is repeated. */
  readonly reconcile: (engine: Engine, signal: AbortSignal) => Promise<boolean>;
  /** What happens to an instance that calls for it, as engines name it: `deleted`, `renamed`. */
  readonly actions: readonly string[];
  /** What the log says where it could not be done. */
  readonly failure: string;
  /** See Reconciler. */
  readonly debounceMs: number;
  readonly retryDelaysMs: readonly [first: number, last: number];
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Keeps something of the containers of an engine right: at once, whenever something changes them, and when it is
 * triggered. Works with the engine that it watches, which others may use only later, once it counts as running.
 */
export class ContainerReconciler implements AsyncDisposable {
  readonly #options: ContainerReconcilerOptions;
  readonly #reconciler: Reconciler;
  #engine: Engine | undefined;
  #subscription: Disposable | undefined;

  constructor(options: ContainerReconcilerOptions) {
    this.#options = options;
    const reconcile = (signal: AbortSignal): Promise<boolean> => this.#reconcile(signal);
    this.#reconciler = new Reconciler({ ...options, reconcile });
  }

  /** From now on the containers are those of this engine. */
  watch(engine: Engine): void {
    const actions = this.#options.actions.map((what) => `instance-${what}`);
    const refresh = (): void => this.trigger();
    const onEvent = (event: EngineEvent): void => {
      if (event.type === "lifecycle" && actions.includes(event.metadata.action)) refresh();
    };
    this.#engine = engine;
    this.#subscription?.[Symbol.dispose]();
    this.#subscription = engine.events.subscribe({ types: ["lifecycle"], reconnected: refresh }, onEvent);
    refresh();
  }

  trigger(): void {
    this.#reconciler.trigger();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    await this.#reconciler[Symbol.asyncDispose]();
  }

  async #reconcile(signal: AbortSignal): Promise<boolean> {
    const { reconcile, failure, log } = this.#options;
    try {
      return this.#engine === undefined || (await reconcile(this.#engine, signal));
    } catch (error) {
      // Without an engine there is nothing to do: watch() triggers once one runs.
      if (signal.aborted || isUnavailable(error)) return true;
      log.warn({ error }, failure);
      return false;
    }
  }
}
