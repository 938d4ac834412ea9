import type { Clock } from "../../../base/async/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import { sendSignal, waitForExit } from "../../../base/processes/wait-for-exit.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { EngineLayout } from "../../../engine/flavors/flavor.ts";
import { flavorOf } from "../../../engine/flavors/flavors.ts";
import type { EngineAddress } from "../../../engine/http/engine-address.ts";
import { stopContainers } from "../orphans/orphaned-containers.ts";
import { findEngineProcesses, stopEngineProcesses } from "../orphans/orphaned-engine.ts";
import { removeNetworks } from "../orphans/orphaned-networks.ts";
import { READY_TIMEOUT_MS, waitUntilReady } from "../wait-until-ready.ts";
import { EngineProcess, type EngineProcessOptions } from "./engine-process.ts";
import type { EngineProgram } from "./engine-program.ts";

/** An orphaned engine that answers within this time is adopted, else it is stopped. */
const ADOPTION_TIMEOUT_MS = 10_000;
/** The time for an engine to stop its containers and then itself, before it is killed. */
const SHUTDOWN_TIMEOUT_MS = 60_000;
/** One look at whether it answers. */
const READY_NOW_TIMEOUT_MS = 50;

interface Options {
  readonly program: EngineProgram;
  readonly folder: string;
  /** Aborts when the daemon ends. */
  readonly shutdownSignal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onEvent: EngineProcessOptions["onEvent"];
}

/** The engine that the daemon runs itself, privately in one folder: adopted, started, stopped. */
export class ManagedEngine {
  readonly program: EngineProgram;
  readonly folder: string;
  readonly #options: Options;
  readonly #shuttingDown = new AbortController();
  #process: EngineProcess | undefined;

  constructor(options: Options) {
    this.program = options.program;
    this.folder = options.folder;
    this.#options = options;
  }

  /** The names in its folder. */
  get layout(): EngineLayout {
    return flavorOf(this.program.kind).layout;
  }

  /** Aborts when there will be no engine any more: the daemon ends, or the engine crashed too often. */
  get lostSignal(): AbortSignal {
    const { shutdownSignal } = this.#options;
    return this.#process ? AbortSignal.any([shutdownSignal, this.#process.gaveUpSignal]) : shutdownSignal;
  }

  /** Why the engine is not started again; undefined while it is. */
  get gaveUpError(): TremplinError | undefined {
    return this.#process?.gaveUpSignal.reason;
  }

  /** Whether an engine of this folder runs, whichever daemon started it. */
  async isRunning(): Promise<boolean> {
    return (await this.#processes()).length > 0;
  }

  /** Whether it runs and answers at this moment. */
  async isReady(): Promise<boolean> {
    const process = this.#process ?? this.#newProcess();
    return (await this.isRunning()) && (await this.#answers(process, READY_NOW_TIMEOUT_MS));
  }

  /**
   * Waits until the engine is ready. A running one is adopted, or stopped when it does not answer or is not the only
   * one (docs/contract.md#orphaned-engines); else a new one is started. Throws `failed` with the end of its log,
   * `cancelled` once the engine was shut down.
   */
  async start(): Promise<EngineAddress> {
    this.#shuttingDown.signal.throwIfAborted();
    const supervised = this.#process;
    if (supervised && !supervised.gaveUpSignal.aborted) return await this.#untilReady(supervised);
    const process = this.#newProcess();
    const orphans = await this.#processes();
    const [pid] = orphans;
    this.#shuttingDown.signal.throwIfAborted();
    if (pid !== undefined && orphans.length === 1 && (await this.#answers(process))) {
      this.#options.log.info({ pid }, "adopting the engine of an earlier daemon");
      process.start(pid);
    } else {
      await stopEngineProcesses(orphans, this.#options.clock);
      process.start();
    }
    this.#process = process;
    return await this.#untilReady(process);
  }

  /** Ends the engine, its containers and its networks, in whatever state they are: nothing uses its folder any more. */
  async stopAll(): Promise<void> {
    const { clock, log } = this.#options;
    this.#process?.stop();
    this.#process = undefined;
    if (await this.isReady()) await this.#requestShutdown(await this.#processes());
    await stopEngineProcesses(await this.#processes(), clock);
    await stopContainers(this.folder, clock, log);
    await removeNetworks(this.folder, clock, log);
  }

  /** Asks a running engine to stop its containers and then itself, and waits for its end (docs/contract.md#shutdown). */
  async shutDown(): Promise<void> {
    this.#shuttingDown.abort(new TremplinError("cancelled", "the engine is shut down"));
    this.#process?.stop();
    // Not only this.#process: the engine of an earlier daemon may not have been adopted yet.
    await this.#requestShutdown(await this.#processes(), Number.POSITIVE_INFINITY);
  }

  /** Stops supervising: the engine and its containers go on. */
  detach(): void {
    this.#process?.stop();
  }

  /** The last lines of the engine's log. */
  logTail(): Promise<string> {
    return (this.#process ?? this.#newProcess()).logTail();
  }

  async #untilReady(process: EngineProcess): Promise<EngineAddress> {
    const { address } = process;
    if (await waitUntilReady(address, { clock: this.#options.clock, signal: this.lostSignal }))
      return address;
    throw new TremplinError(
      "failed",
      `the engine ${this.program.executable} is not ready after ${READY_TIMEOUT_MS / 1000} s; the end of its log: ${await process.logTail()}`,
    );
  }

  #answers({ address }: EngineProcess, timeoutMs = ADOPTION_TIMEOUT_MS): Promise<boolean> {
    const { clock, shutdownSignal: signal } = this.#options;
    return waitUntilReady(address, { clock, signal, timeoutMs });
  }

  /** On SIGPWR an engine stops its containers and then itself. False when it still runs after the timeout. */
  #requestShutdown(pids: readonly number[], timeoutMs = SHUTDOWN_TIMEOUT_MS): Promise<boolean> {
    const { clock, shutdownSignal: signal } = this.#options;
    for (const pid of pids) sendSignal(pid, "SIGPWR");
    return waitForExit(pids, { clock, timeoutMs, signal });
  }

  #processes(): Promise<number[]> {
    return findEngineProcesses(this.program, this.folder);
  }

  #newProcess(): EngineProcess {
    const { program, folder, clock, log, onEvent } = this.#options;
    return new EngineProcess({ program, folder, clock, log, onEvent });
  }
}
