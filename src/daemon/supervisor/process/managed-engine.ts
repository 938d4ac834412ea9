import type { Clock } from "../../../base/async/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { EngineLayout } from "../../../engine/flavors/flavor.ts";
import { flavorOf } from "../../../engine/flavors/flavors.ts";
import type { EngineAddress } from "../../../engine/http/engine-address.ts";
import { stopContainers } from "../orphans/orphaned-containers.ts";
import { findEngineProcesses, isAlive, stopEngineProcesses } from "../orphans/orphaned-engine.ts";
import { removeNetworks } from "../orphans/orphaned-networks.ts";
import { READY_TIMEOUT_MS, waitUntilReady } from "../wait-until-ready.ts";
import { EngineProcess, type EngineProcessOptions } from "./engine-process.ts";
import type { EngineProgram } from "./engine-program.ts";

/** A left-over engine answers at once, or is stopped. Milliseconds. */
const ADOPTION_TIMEOUT_MS = 10_000;
/** An engine that is asked to stop its containers and then itself has so long. Milliseconds. */
const SHUTDOWN_TIMEOUT_MS = 60_000;
const POLL_INTERVAL_MS = 50;

interface Options {
  readonly program: EngineProgram;
  readonly folder: string;
  /** Aborts when the daemon ends. */
  readonly shutdownSignal: AbortSignal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly failed: EngineProcessOptions["failed"];
}

/** The engine that the daemon runs itself, privately in one folder: taken over, started, stopped. */
export class ManagedEngine {
  readonly program: EngineProgram;
  readonly folder: string;
  readonly #shutdownSignal: AbortSignal;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #failed: Options["failed"];
  readonly #shuttingDown = new AbortController();
  #process: EngineProcess | undefined;

  constructor(options: Options) {
    this.program = options.program;
    this.folder = options.folder;
    this.#shutdownSignal = options.shutdownSignal;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#failed = options.failed;
  }

  /** The names in its folder. */
  get layout(): EngineLayout {
    return flavorOf(this.program.kind).layout;
  }

  /** Aborts when the daemon ends, or once the engine died too often, with why. */
  get lostSignal(): AbortSignal {
    return this.#process
      ? AbortSignal.any([this.#shutdownSignal, this.#process.gaveUpSignal])
      : this.#shutdownSignal;
  }

  /** Why it is not started again, if that is so. */
  get gaveUpError(): TremplinError | undefined {
    return this.#process?.gaveUpSignal.reason;
  }

  /** Whether one that nobody here started runs already. */
  async isRunning(): Promise<boolean> {
    return (await this.#processes()).length > 0;
  }

  /** Whether it runs and answers at this moment. */
  async isReady(): Promise<boolean> {
    return (
      (await this.isRunning()) && (await this.#answers(this.#process ?? this.#newProcess(), POLL_INTERVAL_MS))
    );
  }

  /**
   * Waits until it is ready: the one that runs already is taken over, stopped if it does not answer or is not
   * alone (behaviour.md 3.2), and else there is a new one. Throws `failed` with its last words, `cancelled` once it
   * was shut down.
   */
  async start(): Promise<EngineAddress> {
    this.#shuttingDown.signal.throwIfAborted();
    const ours = this.#process;
    if (ours && !ours.gaveUpSignal.aborted) return await this.#untilReady(ours);
    const process = this.#newProcess();
    const leftover = await this.#processes();
    const [pid] = leftover;
    this.#shuttingDown.signal.throwIfAborted();
    if (pid !== undefined && leftover.length === 1 && (await this.#answers(process))) {
      this.#log.info({ pid }, "taking over the engine of an earlier run");
      process.start(pid);
    } else {
      await stopEngineProcesses(leftover, this.#clock);
      process.start();
    }
    this.#process = process;
    return await this.#untilReady(process);
  }

  /** Ends it, its containers and its networks, whatever state they are in: nothing uses its folder any more. */
  async stopAll(): Promise<void> {
    this.#process?.stop();
    this.#process = undefined;
    if (await this.isReady()) await this.#requestShutdown(await this.#processes());
    await stopEngineProcesses(await this.#processes(), this.#clock);
    await stopContainers(this.folder, this.#clock, this.#log);
    await removeNetworks(this.folder, this.#clock, this.#log);
  }

  /** Asks it to stop its containers and then itself, if it runs, and waits for its end (behaviour.md 1.4). */
  async shutDown(): Promise<void> {
    this.#shuttingDown.abort(new TremplinError("cancelled", "the engine is shut down"));
    this.#process?.stop();
    // One of an earlier run may not have been taken over yet.
    const pids = await this.#processes();
    for (const pid of pids.filter(isAlive)) process.kill(pid, "SIGPWR");
    while (pids.some(isAlive)) await this.#clock.sleep(POLL_INTERVAL_MS, this.#shutdownSignal);
  }

  /** It and its containers go on, and nobody looks after them. */
  detach(): void {
    this.#process?.stop();
  }

  /** What it said last, for a person who wants to know why it does not run. */
  logTail(): Promise<string> {
    return (this.#process ?? this.#newProcess()).logTail();
  }

  async #untilReady(process: EngineProcess): Promise<EngineAddress> {
    const { address } = process;
    if (await waitUntilReady(address, { clock: this.#clock, signal: this.lostSignal })) return address;
    throw new TremplinError(
      "failed",
      `the engine ${this.program.executable} is not ready after ${READY_TIMEOUT_MS / 1000} s; its last words: ${await process.logTail()}`,
    );
  }

  #answers({ address }: EngineProcess, limit = ADOPTION_TIMEOUT_MS): Promise<boolean> {
    return waitUntilReady(address, { clock: this.#clock, signal: this.#shutdownSignal, timeoutMs: limit });
  }

  async #requestShutdown(pids: readonly number[]): Promise<void> {
    for (const pid of pids.filter(isAlive)) process.kill(pid, "SIGPWR");
    for (const end = this.#clock.elapsed() + SHUTDOWN_TIMEOUT_MS; this.#clock.elapsed() < end; ) {
      if (!pids.some(isAlive)) return;
      await this.#clock.sleep(POLL_INTERVAL_MS, this.#shutdownSignal);
    }
  }

  #processes(): Promise<number[]> {
    return findEngineProcesses(this.program, this.folder);
  }

  #newProcess(): EngineProcess {
    const { program, folder } = this;
    return new EngineProcess({
      program,
      folder,
      clock: this.#clock,
      log: this.#log,
      failed: this.#failed,
    });
  }
}
