import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Clock } from "../../../base/async/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import { searchPath } from "../../../base/processes/find-executable.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { flavorOf } from "../../../engine/flavors/flavors.ts";
import type { EngineAddress } from "../../../engine/http/engine-address.ts";
import { stopOrphanedDnsmasq } from "../network/bridge-dnsmasq.ts";
import { noteNewestInterface } from "../network/bridge-ownership.ts";
import { isAlive } from "../orphans/orphaned-engine.ts";
import { waitUntilReady } from "../wait-until-ready.ts";
import type { EngineProgram } from "./engine-program.ts";

/** The supervisor gives up once more than so many deaths fall within the window (behaviour.md 2.4). */
const MAX_CRASHES = 10;
const CRASH_WINDOW_MS = 30_000;
/** An engine that was taken over is nobody's child: its life is looked at so often. Milliseconds. */
const LIVENESS_INTERVAL_MS = 1_000;
const MAX_LOG_BYTES = 4 * 1024 * 1024;
const LOG_TAIL_LINES = 5;

export interface EngineProcessOptions {
  readonly program: EngineProgram;
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called when it died by itself after it had been ready, and when it is given up (behaviour.md 3.1). */
  readonly failed: (program: string) => void;
}

/**
 * Keeps one engine daemon running: starts it, takes over one that runs already, starts it again when it
 * dies, gives up when it dies too often. It outlives this process.
 */
export class EngineProcess {
  readonly #program: EngineProgram;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #failed: (program: string) => void;
  readonly #stopping = new AbortController();
  readonly #logPath: string;
  readonly #gaveUp = new AbortController();
  #pid: number | undefined;

  constructor(options: EngineProcessOptions) {
    this.#program = options.program;
    this.#folder = options.folder;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#failed = options.failed;
    this.#logPath = `${options.folder}.log`;
  }

  get address(): EngineAddress & { readonly kind: "unix" } {
    return { kind: "unix", path: join(this.#folder, flavorOf(this.#program.kind).layout.socket) };
  }

  /** The daemon's process id while it runs. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Aborts once the supervisor has given up, with a TremplinError that says why there will be no engine any more. */
  get gaveUpSignal(): AbortSignal {
    return this.#gaveUp.signal;
  }

  /** Supervises the process given, or a new one. */
  start(runningPid?: number): void {
    void this.#supervise(runningPid);
  }

  /** Stops supervising; the engine goes on. */
  stop(): void {
    this.#stopping.abort();
  }

  /** The last words of the engine, for a person who wants to know why it does not run. */
  async logTail(): Promise<string> {
    const text = await readFile(this.#logPath, "utf8").catch(() => "");
    return text.trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n");
  }

  async #supervise(runningPid: number | undefined): Promise<void> {
    const deaths: number[] = [];
    let adopted = runningPid;
    while (!this.#stopping.signal.aborted) {
      const ended = new AbortController();
      // A wait that is left behind would hold up the end of the daemon.
      const signal = AbortSignal.any([ended.signal, this.#stopping.signal]);
      const ready = waitUntilReady(this.address, { clock: this.#clock, signal }).catch(() => false);
      try {
        await (adopted === undefined ? this.#runOnce() : this.#watch(adopted));
      } catch (error) {
        this.#log.error({ error }, "the engine could not be run");
      }
      ended.abort();
      const wasReady = await ready;
      adopted = undefined;
      this.#pid = undefined;
      if (this.#stopping.signal.aborted) return;
      deaths.push(this.#clock.elapsed());
      this.#log.warn({ deaths: deaths.length }, "the engine has died");
      if (wasReady) this.#failed(this.#program.kind);
      const recent = deaths.filter((time) => time > this.#clock.elapsed() - CRASH_WINDOW_MS);
      if (recent.length > MAX_CRASHES) {
        const words = await this.logTail();
        const error = new TremplinError(
          "failed",
          `the engine ${this.#program.executable} died ${recent.length} times within ${CRASH_WINDOW_MS / 1000} s and is not started again; its last words: ${words}`,
        );
        this.#log.error({ error }, "gave up");
        this.#gaveUp.abort(error);
        this.#failed(this.#program.kind);
        return;
      }
      // Not at once: what killed it may need a moment to go away (a lock, a port).
      await this.#clock.sleep(100);
    }
  }

  async #watch(pid: number): Promise<void> {
    this.#pid = pid;
    while (isAlive(pid) && !this.#stopping.signal.aborted) {
      await this.#clock.sleep(LIVENESS_INTERVAL_MS, this.#stopping.signal).catch(() => undefined);
    }
  }

  /**
   * Runs the engine until it ends: in a session of its own and with a file for its output, so that it lives on
   * when this process ends.
   */
  async #runOnce(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o711 });
    await this.#rotateLog();
    await stopOrphanedDnsmasq(this.#folder, this.#clock);
    await noteNewestInterface(this.#folder).catch((error) =>
      this.#log.warn({ error }, "the interfaces before the engine's start are not written down"),
    );
    await using log = await open(this.#logPath, "a", 0o600);
    const { args, folders, folderVariable, environment } = flavorOf(this.#program.kind).program;
    const child = spawn(this.#program.executable, args, {
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: {
        ...process.env,
        ...environment,
        [folderVariable]: this.#folder,
        PATH: [...searchPath, ...folders].join(delimiter),
      },
    });
    child.unref();
    this.#pid = child.pid;
    this.#log.info({ pid: child.pid, folder: this.#folder }, "the engine is running");
    await once(child, "exit");
  }

  async #rotateLog(): Promise<void> {
    const size = await stat(this.#logPath).then(
      (found) => found.size,
      () => 0,
    );
    if (size > MAX_LOG_BYTES) await rename(this.#logPath, `${this.#logPath}.1`);
  }
}
