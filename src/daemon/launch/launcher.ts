import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { abortable } from "../../engine/abortable.ts";
import { Engine } from "../../engine/engine.ts";
import type { EngineAddress } from "../../engine/engine-address.ts";
import { isReady } from "../../engine/is-ready.ts";
import type { Site } from "../sites/site.ts";
import { Bridge } from "./bridge.ts";
import type { EngineChoice } from "./engine-choice.ts";
import { EngineProcess } from "./engine-process.ts";
import { type EngineProgram, findEngineProgram } from "./engine-program.ts";
import { findEngineProcesses, isAlive, stopEngineProcesses } from "./leftover-engine.ts";
import { prepareNetwork } from "./prepare-network.ts";
import { prepareProfile } from "./prepare-profile.ts";
import { prepareStorage } from "./prepare-storage.ts";
import type { Subnet } from "./subnet.ts";

/** An engine that has not answered after this long will not. Milliseconds (behaviour.md 2.4). */
const READY_LIMIT = 120_000;
/** A left-over engine answers at once, or is stopped. */
const LEFTOVER_LIMIT = 10_000;
const READY_POLL = 50;

/**
 * What the engine is up to:
 * - `stopped`: nobody asked for it yet;
 * - `starting`: somebody did, and all who ask meanwhile share the outcome;
 * - `running`: launched, prepared, everything left over put right;
 * - `failed`: the last launch failed; asking again tries again.
 */
export type EngineState =
  | { readonly word: "stopped" }
  | { readonly word: "starting"; readonly outcome: Promise<Engine> }
  | { readonly word: "running"; readonly engine: Engine }
  | { readonly word: "failed"; readonly error: TremplinError };

export interface LauncherOptions {
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
}

/** Launches the engine, or attaches to one, and makes it ready for containers (behaviour.md 3, 5.1). */
export class Launcher implements AsyncDisposable {
  readonly #options: LauncherOptions;
  readonly #ending = new AbortController();
  #state: EngineState = { word: "stopped" };
  #prepared: Engine | undefined;
  #process: EngineProcess | undefined;

  constructor(options: LauncherOptions) {
    this.#options = options;
  }

  get state(): EngineState {
    const { gaveUp } = this.#process ?? {};
    if (this.#state.word === "running" && gaveUp) return { word: "failed", error: gaveUp };
    return this.#state;
  }

  /** The running engine. Throws `unavailable` with what to do when there is none (behaviour.md 8). */
  get engine(): Engine {
    const { state } = this;
    if (state.word === "running") return state.engine;
    const why = {
      stopped: "call StartLxd first",
      starting: "it is starting; wait for its STARTED",
      failed: `launching it failed: ${state.word === "failed" ? state.error.message : ""}`,
    }[state.word];
    throw new TremplinError("unavailable", `LXD not running: ${why}`);
  }

  /** The engine, also while what an earlier daemon left is put right: only that may use it before it is running. */
  get prepared(): Engine {
    return this.#prepared ?? this.engine;
  }

  /** Where the engine's files are, for one that the daemon launches. */
  folder(kind: string): string {
    return join(this.#options.stateFolder, kind);
  }

  /** Launches, unless that is under way or done; the outcome is the same for all who ask meanwhile. */
  launch(): Promise<Engine> {
    const { state } = this;
    if (state.word === "running") return Promise.resolve(state.engine);
    if (state.word === "starting") return state.outcome;
    const outcome = this.#launch();
    this.#state = { word: "starting", outcome };
    outcome.then(
      (engine) => {
        this.#state = { word: "running", engine };
      },
      (thrown) => {
        this.#state = { word: "failed", error: TremplinError.from(thrown) };
      },
    );
    return outcome;
  }

  /** Whether an engine that an earlier daemon launched still runs. */
  async hasLeftover(): Promise<boolean> {
    const { choice } = this.#options;
    if (choice.how === "attach") return false;
    const program = await findEngineProgram(choice.kind).catch(() => undefined);
    if (!program) return false;
    return (await findEngineProcesses(program, this.folder(program.kind))).length > 0;
  }

  /** Waits until the engine answers, which is started again when it died; false when it never will. */
  async answers(signal: AbortSignal): Promise<boolean> {
    const engine = this.#prepared;
    if (!engine) return false;
    const waiting = this.#becomesReady(engine.address, READY_LIMIT).catch(() => false);
    return abortable(waiting, signal).catch(() => false);
  }

  /** Stops the containers and the engine, if it is our own, and waits for its end (behaviour.md 1.4). */
  async shutDown(): Promise<void> {
    const process = this.#process;
    const { pid } = process ?? {};
    process?.stop("SIGPWR");
    if (pid === undefined) return;
    await this.#waitForEnd(pid);
  }

  /** Lets go of the engine: it and its containers go on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new TremplinError("cancelled", "the daemon ends"));
    this.#process?.stop();
    if (this.#state.word === "starting") await this.#state.outcome.catch(() => undefined);
    if (this.#state.word === "running") await this.#state.engine[Symbol.asyncDispose]();
  }

  async #launch(): Promise<Engine> {
    const { choice, log } = this.#options;
    if (choice.how === "attach") return this.#makeReady(await this.#connect(choice.address), true, undefined);
    const program = await findEngineProgram(choice.kind);
    const folder = this.folder(program.kind);
    const bridge = new Bridge({
      name: this.#options.bridgeName,
      stateFolder: this.#options.stateFolder,
      engineFolder: folder,
    });
    log.info({ engine: program.executable, folder }, "launching");
    await bridge.check(this.#options.subnet);
    const address = await this.#run(program, folder);
    const engine = await this.#makeReady(await this.#connect(address), false, folder);
    await bridge.claim();
    return engine;
  }

  /** Takes over the engine that an earlier daemon left, or stops it when it does not answer, or starts one. */
  async #run(program: EngineProgram, folder: string): Promise<EngineAddress> {
    const { clock, log } = this.#options;
    this.#process?.stop();
    const process = new EngineProcess({ program, folder, clock, log });
    const address: EngineAddress = { kind: "unix", path: process.socketPath };
    const leftover = await findEngineProcesses(program, folder);
    if (leftover.length === 1) {
      const answers = await this.#becomesReady(address, LEFTOVER_LIMIT).catch(() => false);
      if (answers) {
        log.info({ pid: leftover[0] }, "taking over the engine of an earlier run");
        this.#process = process;
        process.start(leftover[0]);
        return address;
      }
    }
    await stopEngineProcesses(leftover, clock);
    this.#process = process;
    process.start();
    if (await this.#becomesReady(address, READY_LIMIT)) return address;
    throw new TremplinError(
      "failed",
      `the engine ${program.executable} is not ready after ${READY_LIMIT / 1000} s; its last words: ${await process.lastWords()}`,
    );
  }

  async #becomesReady(address: EngineAddress, limit: number): Promise<boolean> {
    const { clock } = this.#options;
    const { signal } = this.#ending;
    const end = clock.now() + limit;
    while (clock.now() < end) {
      if (await isReady(address, { signal })) return true;
      if (this.#process?.gaveUp) throw this.#process.gaveUp;
      await clock.sleep(READY_POLL, signal);
    }
    return false;
  }

  #connect(address: EngineAddress): Promise<Engine> {
    const { clock, log } = this.#options;
    return Engine.connect(address, { log, clock, signal: this.#ending.signal });
  }

  async #makeReady(engine: Engine, attached: boolean, engineFolder: string | undefined): Promise<Engine> {
    const { bridgeName: bridge, subnet, site, places, log, onReady } = this.#options;
    const { signal } = this.#ending;
    try {
      // What runs on the engine's side must not hold up its end (behaviour.md 2.8).
      if (!attached) {
        await engine.server.updateConfig((config) => ({ ...config, "core.shutdown_timeout": "0" }), {
          signal,
        });
      }
      await prepareStorage(engine, { engineFolder, log, signal });
      await prepareNetwork(engine, { bridge, subnet, site, attached }, signal);
      await prepareProfile(engine, { bridge, site, places, attached, log }, signal);
      this.#prepared = engine;
      await onReady(engine);
      return engine;
    } catch (error) {
      this.#prepared = undefined;
      await engine[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #waitForEnd(pid: number): Promise<void> {
    const { clock } = this.#options;
    while (isAlive(pid)) await clock.sleep(READY_POLL, this.#ending.signal);
  }
}
