import { join } from "node:path";
import { abortable } from "../../base/async/abortable.ts";
import type { Clock } from "../../base/async/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Engine } from "../../engine/engine.ts";
import type { EngineAddress } from "../../engine/http/engine-address.ts";
import type { Site } from "../sites/site.ts";
import { DatabaseReset } from "./database-reset/database-reset.ts";
import { mayResetAutomatically } from "./database-reset/reset-conditions.ts";
import type { EngineChoice } from "./engine-choice.ts";
import { failIfEngineLost } from "./engine-loss.ts";
import type { EngineState, Launch, ResetRequest } from "./engine-state.ts";
import { ATTEMPTS, launchManagedEngine, type Prepared } from "./launch-managed-engine.ts";
import { Bridge } from "./network/bridge.ts";
import type { Subnet } from "./network/subnet.ts";
import { prepareEngine } from "./prepare/prepare-engine.ts";
import { findEngineProgram } from "./process/engine-program.ts";
import { ManagedEngine } from "./process/managed-engine.ts";
import { waitUntilReady } from "./wait-until-ready.ts";

export interface SupervisorOptions {
  readonly choice: EngineChoice;
  readonly stateFolder: string;
  readonly bridgeName: string;
  readonly subnet: Subnet | undefined;
  readonly site: Site;
  /** What {state} and {shared} mean in texts of the site. */
  readonly places: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called with each engine before it counts as running: what must be put right first. */
  readonly onReady: (engine: Engine) => Promise<void>;
  /** Called when the daemon's own engine died by itself, or is given up. */
  readonly failed: (program: string) => void;
}

/** Launches the engine, or attaches to one, and makes it ready for containers (behaviour.md 3, 5.1). */
export class Supervisor implements AsyncDisposable {
  readonly #options: SupervisorOptions;
  readonly #disposing = new AbortController();
  /** Aborts when no launch shall go on any more, though the engine is still needed. */
  readonly #shuttingDown = new AbortController();
  #state: EngineState = { status: "stopped" };
  #prepared: Engine | undefined;
  #managed: ManagedEngine | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get state(): EngineState {
    const { gaveUpError: gaveUp } = this.#managed ?? {};
    if (this.#state.status === "running" && gaveUp) return { status: "failed", error: gaveUp };
    return this.#state;
  }

  /** The running engine. Throws `unavailable` with what to do when there is none (behaviour.md 8). */
  get engine(): Engine {
    const { state } = this;
    if (state.status === "running") return state.engine;
    const why = {
      stopped: "call StartLxd first",
      starting: "it is starting; wait for its STARTED",
      failed: `launching it failed: ${state.status === "failed" ? state.error.message : ""}`,
    }[state.status];
    throw new TremplinError("unavailable", `LXD not running: ${why}`);
  }

  /** The engine, also while what an earlier daemon left is put right: only that may use it before it is running. */
  get engineForRecovery(): Engine {
    return this.#prepared ?? this.engine;
  }

  /** Whether the daemon launches its engine itself: only that one's database is the daemon's to reset. */
  get isManaged(): boolean {
    return this.#options.choice.how === "launch";
  }

  /** Where the engine's files are, for one that the daemon launches. */
  folder(kind: string): string {
    return join(this.#options.stateFolder, kind);
  }

  /** Launches, unless that is under way, or done; a reset that is wished follows a launch without one. */
  launch(wish?: ResetRequest): Launch {
    const { state } = this;
    if (state.status === "starting" && (!wish || state.launch.resets)) return state.launch;
    const recovering = Promise.withResolvers<string>();
    const shared = { recovering: recovering.promise, resets: wish !== undefined };
    if (state.status === "running" && !wish) {
      return { ...shared, outcome: Promise.resolve({ engine: state.engine, remark: "" }) };
    }
    const outcome = this.#launch(this.#engineBefore(), wish, recovering.resolve);
    const launch = { ...shared, outcome };
    this.#state = { status: "starting", launch };
    const end = (state: EngineState) => {
      if (this.#state.status === "starting" && this.#state.launch === launch) this.#state = state;
    };
    outcome.then(
      ({ engine }) => end({ status: "running", engine }),
      (thrown) => end({ status: "failed", error: TremplinError.from(thrown) }),
    );
    return launch;
  }

  /** Whether an engine that an earlier daemon launched still runs. */
  async isRunningAlready(): Promise<boolean> {
    if (!this.isManaged) return false;
    const own = await this.#managedEngine().catch(() => undefined);
    return (await own?.isRunning()) ?? false;
  }

  /** Waits until the engine answers, which is started again when it died; false when it never will. */
  async answers(signal: AbortSignal): Promise<boolean> {
    const engine = this.#prepared;
    if (!engine) return false;
    const waiting = waitUntilReady(engine.address, { clock: this.#options.clock, signal: this.#lostSignal });
    return abortable(waiting, signal).catch(() => false);
  }

  /** Stops the containers and the engine, if it is our own, and waits for its end (behaviour.md 1.4). */
  async shutDown(): Promise<void> {
    this.#shuttingDown.abort(new TremplinError("cancelled", "the daemon ends"));
    if (!this.isManaged) return;
    const own = await this.#managedEngine().catch(() => undefined);
    await own?.shutDown();
  }

  /** Lets go of the engine: it and its containers go on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposing.abort(new TremplinError("cancelled", "the daemon ends"));
    this.#managed?.detach();
    if (this.#state.status === "starting") await this.#state.launch.outcome.catch(() => undefined);
    if (this.#state.status === "running") await this.#state.engine[Symbol.asyncDispose]();
  }

  get #launchSignal(): AbortSignal {
    return AbortSignal.any([this.#disposing.signal, this.#shuttingDown.signal]);
  }

  /** Aborts when the daemon ends or there will be no engine any more. */
  get #lostSignal(): AbortSignal {
    return this.#managed?.lostSignal ?? this.#disposing.signal;
  }

  /** The engine of the launch before the next one, once that has ended. */
  async #engineBefore(): Promise<Engine | undefined> {
    const state = this.#state;
    if (state.status === "running") return state.engine;
    if (state.status !== "starting") return undefined;
    return await state.launch.outcome.then(
      ({ engine }) => engine,
      () => undefined,
    );
  }

  async #launch(
    before: Promise<Engine | undefined>,
    wish: ResetRequest | undefined,
    recovering: (why: string) => void,
  ): Promise<Prepared> {
    const engineBefore = await before;
    this.#prepared = undefined;
    await engineBefore?.[Symbol.asyncDispose]();
    let remark = "";
    for (let count = 1; ; count++) {
      const prepared = await this.#prepare(count === 1 ? wish : undefined, recovering);
      const { engine } = prepared;
      remark ||= prepared.remark;
      try {
        await this.#recover(engine);
        return { engine, remark };
      } catch (error) {
        this.#prepared = undefined;
        await engine[Symbol.asyncDispose]();
        // It was killed just now; what was done so far can be done again.
        const again = TremplinError.from(error).code === "unavailable" && count < ATTEMPTS;
        if (!again || this.#lostSignal.aborted || this.#shuttingDown.signal.aborted) throw error;
        this.#options.log.warn({ error }, "the engine died while what was left was put right: again");
      }
    }
  }

  async #recover(engine: Engine): Promise<void> {
    const { clock, onReady } = this.#options;
    this.#prepared = engine;
    await failIfEngineLost(onReady(engine), { address: engine.address, clock, lostSignal: this.#lostSignal });
  }

  #prepare(wish: ResetRequest | undefined, recovering: (why: string) => void): Promise<Prepared> {
    const { choice } = this.#options;
    return choice.how === "attach" ? this.#attach(choice.address) : this.#launchManaged(wish, recovering);
  }

  async #attach(address: EngineAddress): Promise<Prepared> {
    const engine = await this.#connect(address);
    try {
      await this.#prepareEngine(engine, undefined, false);
      return { engine, remark: "" };
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #launchManaged(wish: ResetRequest | undefined, recovering: (why: string) => void): Promise<Prepared> {
    const { bridgeName: name, stateFolder, subnet, site, clock, log } = this.#options;
    const own = await this.#managedEngine();
    const { folder, layout } = own;
    const bridge = new Bridge({ name, stateFolder, engineFolder: folder });
    log.info({ engine: own.program.executable, folder }, "launching");
    await bridge.check(subnet);
    if (!(await own.isRunning())) await bridge.checkOthers();
    const prepared = await launchManagedEngine({
      managed: own,
      reset: await DatabaseReset.open(folder, layout, log),
      wantsReset: async () =>
        wish !== undefined ||
        (!(await own.isRunning()) && (await mayResetAutomatically(folder, layout, site.automaticReset))),
      onResetBegun: async () => wish?.onBegun(),
      connect: (address) => this.#connect(address),
      prepare: (engine, isNew) => this.#prepareEngine(engine, folder, isNew),
      recovering,
      clock,
      log,
      signal: this.#launchSignal,
    });
    await bridge.claim();
    return prepared;
  }

  /** The same as before while its program is the same, so that it is known whether it runs. */
  async #managedEngine(): Promise<ManagedEngine> {
    const { choice, failed, clock, log } = this.#options;
    const program = await findEngineProgram(choice.how === "launch" ? choice.kind : undefined);
    if (this.#managed?.program.executable === program.executable) return this.#managed;
    this.#managed?.detach();
    const folder = this.folder(program.kind);
    this.#managed = new ManagedEngine({
      program,
      folder,
      shutdownSignal: this.#disposing.signal,
      failed,
      clock,
      log,
    });
    return this.#managed;
  }

  #connect(address: EngineAddress): Promise<Engine> {
    const { clock, log } = this.#options;
    return Engine.connect(address, { log, clock, signal: this.#disposing.signal });
  }

  #prepareEngine(engine: Engine, engineFolder: string | undefined, recovering: boolean) {
    const { bridgeName: bridge, ...options } = this.#options;
    return prepareEngine(engine, {
      ...options,
      bridge,
      engineFolder,
      recovering,
      signal: this.#launchSignal,
    });
  }
}
