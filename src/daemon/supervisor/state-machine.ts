import { abortable } from "../../base/async/abortable.ts";
import type { Logger } from "../../base/logger.ts";
import type { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import {
  assertTransition,
  type EngineState,
  isLaunching,
  isUsable,
  type Launch,
  type LaunchProgress,
} from "./engine-state.ts";
import type { EngineEvent } from "./process/engine-process.ts";

/** The state of the engine. What the supervisor and the engine's process do changes it, and others wait for changes. */
export class EngineStateMachine {
  readonly #log: Logger;
  readonly #observers = new Set<() => void>();
  #state: EngineState = { status: "stopped" };

  constructor(log: Logger) {
    this.#log = log;
  }

  get state(): EngineState {
    return this.#state;
  }

  /** Resolves with what `select` finds in the present state, or in the first later one where that is not undefined. */
  async when<T>(select: (state: EngineState) => T | undefined, signal: AbortSignal): Promise<T> {
    const { promise, resolve } = Promise.withResolvers<T>();
    const observe = () => {
      const found = select(this.#state);
      if (found !== undefined) resolve(found);
    };
    this.#observers.add(observe);
    try {
      observe();
      return await abortable(promise, signal);
    } finally {
      this.#observers.delete(observe);
    }
  }

  /** A launch begins, or waits for the one under way: then the state stays that of the earlier launch. */
  beginLaunch(launch: Launch): void {
    const state = this.#state;
    if (isLaunching(state)) this.#setState({ ...state, launch, reason: undefined });
    else this.#setState({ status: "starting", step: "launching", launch });
  }

  /** A launch comes to another step. */
  launchProgress(launch: Launch, progress: LaunchProgress): void {
    const state = this.#state;
    if (!isLaunching(state)) throw new Error(`no launch is under way: the engine is ${state.status}`);
    // The reason of an earlier launch does not concern those who wait for the newest one.
    const reason = this.#isNewest(launch) ? (progress.reason ?? state.reason) : undefined;
    this.#setState({ ...progress, launch: state.launch, reason });
  }

  /** A launch ends well. `gaveUpError`: why its engine is lost again, if it is. */
  launchSucceeded(launch: Launch, engine: Engine, gaveUpError: TremplinError | undefined): void {
    if (!this.#isNewest(launch)) return;
    this.#setState({ status: "running", launch, engine });
    if (gaveUpError) this.#setState({ status: "failed", launch, engine, error: gaveUpError });
  }

  launchFailed(launch: Launch, error: TremplinError): void {
    if (this.#isNewest(launch)) this.#setState({ status: "failed", launch, error });
  }

  /** Something happens to the engine's process by itself. A launch under way notices that on its own. */
  engineEvent(event: EngineEvent): void {
    const state = this.#state;
    if (!isUsable(state)) return;
    const { launch, engine } = state;
    if (event.kind === "gave-up") {
      this.#setState({ status: "failed", launch, engine, error: event.error });
    } else {
      const status = event.kind === "crashed" ? "restarting" : "running";
      if (status !== state.status) this.#setState({ status, launch, engine });
    }
  }

  /** False once another launch waits for this one. */
  #isNewest(launch: Launch): boolean {
    return this.#state.status !== "stopped" && this.#state.launch === launch;
  }

  /** Every change of the state is made here. */
  #setState(state: EngineState): void {
    assertTransition(this.#state, state);
    this.#log.debug({ from: this.#state.status, to: state.status }, "the state of the engine changes");
    this.#state = state;
    for (const observe of this.#observers) observe();
  }
}
