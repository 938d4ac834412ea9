import { join } from "node:path";
import { abortable } from "../../base/async/abortable.ts";
import type { Clock } from "../../base/async/clock.ts";
import { withRetries } from "../../base/async/retry.ts";
import type { Logger } from "../../base/logger.ts";
import { isUnavailable, TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Site } from "../sites/site.ts";
import { AttachProvider } from "./attach-provider.ts";
import type { EngineChoice } from "./engine-choice.ts";
import { failIfEngineLost } from "./engine-loss.ts";
import type { EngineProvider } from "./engine-provider.ts";
import {
  type EngineState,
  isLaunching,
  isUsable,
  type Launch,
  type PreparedEngine,
  type ResetRequest,
} from "./engine-state.ts";
import { LaunchProvider } from "./launch-provider.ts";
import type { Subnet } from "./network/subnet.ts";
import { ENGINE_DEATH_POLICY } from "./start-prepared.ts";
import { EngineStateMachine } from "./state-machine.ts";
import { waitUntilReady } from "./wait-until-ready.ts";

/** How rpcs that need the engine answer without one, of whichever kind: text of the contract (docs/contract.md#before-the-engine-runs). */
const NOT_RUNNING = "LXD not running";

export interface SupervisorOptions {
  readonly choice: EngineChoice;
  readonly stateFolder: string;
  readonly bridgeName: string;
  readonly subnet: Subnet | undefined;
  readonly site: Site;
  /** The values of {state} and {shared} in texts of the site. */
  readonly places: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called before a managed engine is started, and with one that runs. Never rejects. */
  readonly beforeStart: () => Promise<void>;
  /** Called with each engine before it counts as running: recovers interrupted operations. */
  readonly onReady: (engine: Engine) => Promise<void>;
  /** Called with the kind of a managed engine when it crashed after it was ready, or crashed too often. */
  readonly failed: (kind: string) => void;
}

/**
 * Launches the engine or attaches to it, prepares it for containers, and follows its state
 * (docs/contract.md#launching-the-engine, docs/contract.md#startlxd).
 */
export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions;
  readonly #provider: EngineProvider;
  readonly #machine: EngineStateMachine;

  constructor(options: SupervisorOptions, provider: EngineProvider = providerFor(options)) {
    this.#options = options;
    this.#provider = provider;
    this.#machine = new EngineStateMachine(options.log);
    provider.listen((event) => this.#machine.engineEvent(event));
  }

  get state(): EngineState {
    return this.#machine.state;
  }

  /** The running engine. Throws `unavailable` with what to do when there is none. */
  get engine(): Engine {
    const { state } = this;
    if (isUsable(state)) return state.engine;
    throw new TremplinError("unavailable", `${NOT_RUNNING}: ${whyNotRunning(state)}`);
  }

  /** As `engine`, and also while interrupted operations are recovered: only recovery may use it then. */
  get engineForRecovery(): Engine {
    return this.state.status === "recovering" ? this.state.engine : this.engine;
  }

  /** Whether the daemon launches its engine itself: only then it may reset its database. */
  get isManaged(): boolean {
    return this.#provider.isManaged;
  }

  /** The folder of a managed engine of that kind. */
  folder(kind: string): string {
    return join(this.#options.stateFolder, kind);
  }

  /** Launches the engine, unless it runs or a launch is under way. A requested reset waits for a launch without one. */
  launch(request?: ResetRequest): Launch {
    const { state } = this;
    if (isLaunching(state) && (!request || state.launch.resets)) return state.launch;
    if (isUsable(state) && !request) {
      return { outcome: Promise.resolve({ engine: state.engine, remark: "" }), resets: false };
    }
    const { promise: outcome, resolve, reject } = Promise.withResolvers<PreparedEngine>();
    outcome.catch(() => undefined);
    const launch: Launch = { outcome, resets: request !== undefined };
    this.#machine.beginLaunch(launch);
    this.#launch(launch, engineBefore(state), request).then(resolve, reject);
    return launch;
  }

  /** Resolves with what `select` finds in the present state, or in the first later one where that is not undefined. */
  when<T>(select: (state: EngineState) => T | undefined, signal: AbortSignal): Promise<T> {
    return this.#machine.when(select, signal);
  }

  /** Whether a managed engine runs that an earlier daemon launched. */
  isRunningAlready(): Promise<boolean> {
    return this.#provider.isRunning();
  }

  /** Waits until the engine answers, which is started again when it crashed; false when it never will. */
  async answers(signal: AbortSignal): Promise<boolean> {
    const { state } = this;
    if (state.status !== "recovering" && !isUsable(state)) return false;
    const { lostSignal } = this.#provider;
    const waiting = waitUntilReady(state.engine.address, { clock: this.#options.clock, signal: lostSignal });
    return abortable(waiting, signal).catch(() => false);
  }

  /** Stops the containers and a managed engine, and waits for its end (docs/contract.md#shutdown). */
  shutDown(): Promise<void> {
    if ("engine" in this.state) this.state.engine?.endSessions();
    return this.#provider.shutDown();
  }

  /** Detaches from the engine: it and its containers go on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#provider.detach();
    if (isLaunching(this.state)) await this.state.launch.outcome.catch(() => undefined);
    if ("engine" in this.state) await this.state.engine?.[Symbol.asyncDispose]();
  }

  async #launch(
    launch: Launch,
    before: Promise<Engine | undefined>,
    request: ResetRequest | undefined,
  ): Promise<PreparedEngine> {
    try {
      const engineBefore = await before;
      this.#machine.launchProgress(launch, { status: "starting", step: "launching" });
      await engineBefore?.[Symbol.asyncDispose]();
      const prepared = await this.#launchAndRecover(launch, request);
      this.#machine.launchSucceeded(launch, prepared.engine, this.#provider.gaveUpError);
      return prepared;
    } catch (error) {
      this.#machine.launchFailed(launch, TremplinError.from(error));
      throw error;
    }
  }

  async #launchAndRecover(launch: Launch, request: ResetRequest | undefined): Promise<PreparedEngine> {
    const { clock, log } = this.#options;
    let reset = request;
    let provided: Engine | undefined;
    let remark = "";
    const options = {
      clock,
      isRetryable: (error: unknown) => provided !== undefined && isUnavailable(error) && this.#mayLaunchAgain,
      beforeRetry: (error: unknown) =>
        log.warn(
          { error },
          "the engine died while interrupted operations were recovered; it is launched again",
        ),
    };
    return await withRetries(ENGINE_DEATH_POLICY, options, async () => {
      provided = undefined;
      const prepared = await this.#provider.provide(reset, (progress) =>
        this.#machine.launchProgress(launch, progress),
      );
      reset = undefined;
      provided = prepared.engine;
      remark ||= prepared.remark;
      await this.#recover(launch, provided);
      return { engine: provided, remark };
    });
  }

  async #recover(launch: Launch, engine: Engine): Promise<void> {
    const { clock, onReady } = this.#options;
    const { lostSignal } = this.#provider;
    this.#machine.launchProgress(launch, { status: "recovering", engine });
    try {
      await failIfEngineLost(onReady(engine), { address: engine.address, clock, lostSignal });
    } catch (error) {
      this.#machine.launchProgress(launch, { status: "starting", step: "launching" });
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  get #mayLaunchAgain(): boolean {
    return !this.#provider.lostSignal.aborted && !this.#provider.launchSignal.aborted;
  }
}

function providerFor({ choice, bridgeName: bridge, ...options }: SupervisorOptions): EngineProvider {
  return choice.how === "attach"
    ? new AttachProvider(choice.address, { ...options, bridge })
    : new LaunchProvider(choice.kind, { ...options, bridge });
}

/** The client of the engine that the next launch replaces, once the launch that may be under way has ended. */
async function engineBefore(state: EngineState): Promise<Engine | undefined> {
  if (!isLaunching(state)) return state.status === "stopped" ? undefined : state.engine;
  return await state.launch.outcome.then(
    ({ engine }) => engine,
    () => undefined,
  );
}

function whyNotRunning(state: EngineState): string {
  if (state.status === "failed") return `launching it failed: ${state.error.message}`;
  return isLaunching(state) ? "it is starting; wait for its STARTED" : "call StartLxd first";
}
