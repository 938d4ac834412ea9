import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Clock } from "../../../base/async/clock.ts";
import { type RetryPolicy, withRetries } from "../../../base/async/retry.ts";
import { textIfReadable } from "../../../base/files/files.ts";
import { rotateLogs } from "../../../base/files/rotate-logs.ts";
import type { Logger } from "../../../base/logger.ts";
import { searchPath } from "../../../base/processes/find-executable.ts";
import { isSameProcess, processIdentity } from "../../../base/processes/process-identity.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { flavorOf } from "../../../engine/flavors/flavors.ts";
import type { EngineAddress } from "../../../engine/http/engine-address.ts";
import { stopOrphanedDnsmasq } from "../network/bridge-dnsmasq.ts";
import { noteNewestInterface } from "../network/bridge-ownership.ts";
import { waitUntilReady } from "../wait-until-ready.ts";
import type { EngineProgram } from "./engine-program.ts";

/** How often an engine that crashes is started again (docs/contract.md#limits-and-intervals). */
const CRASH_POLICY = { maxRetries: 10, windowMs: 30_000, delayMs: 100 } as const satisfies RetryPolicy;
/** An adopted engine is no child of this process, so its life is polled. */
const LIVENESS_INTERVAL_MS = 1_000;
const MAX_LOG_BYTES = 4 * 1024 * 1024;
const LOG_TAIL_LINES = 5;

/**
 * What happens to an engine's process by itself:
 * - `ready`: the engine answers, after a start or an adoption;
 * - `crashed`: it exited, and is started again;
 * - `gave-up`: it exited too often, and is not started again.
 */
export type EngineEvent =
  | { readonly kind: "ready" }
  | { readonly kind: "crashed"; readonly wasReady: boolean }
  | { readonly kind: "gave-up"; readonly error: TremplinError };

export interface EngineProcessOptions {
  readonly program: EngineProgram;
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onEvent: (event: EngineEvent) => void;
}

/**
 * Keeps one engine daemon running: starts it or adopts a running one, starts it again when it crashes, gives up when
 * it crashes too often. The engine outlives this process.
 */
export class EngineProcess {
  readonly #program: EngineProgram;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #onEvent: EngineProcessOptions["onEvent"];
  readonly #stopping = new AbortController();
  readonly #logPath: string;
  readonly #gaveUp = new AbortController();
  #pid: number | undefined;
  #crashes = 0;

  constructor(options: EngineProcessOptions) {
    this.#program = options.program;
    this.#folder = options.folder;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onEvent = options.onEvent;
    this.#logPath = `${options.folder}.log`;
  }

  get address(): EngineAddress & { readonly kind: "unix" } {
    return { kind: "unix", path: join(this.#folder, flavorOf(this.#program.kind).layout.socket) };
  }

  /** The engine's process id while it runs. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Aborts once the engine is not started again, with a TremplinError that says why. */
  get gaveUpSignal(): AbortSignal {
    return this.#gaveUp.signal;
  }

  /** Keeps the engine running that has this process id, or a new one. */
  start(runningPid?: number): void {
    void this.#rotateLog();
    void this.#keepRunning(runningPid);
  }

  /** Does not start the engine again; a running one goes on. */
  stop(): void {
    this.#stopping.abort();
  }

  /** The last lines of the engine's log. */
  async logTail(): Promise<string> {
    const text = await textIfReadable(this.#logPath);
    return text.trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n");
  }

  async #keepRunning(runningPid: number | undefined): Promise<void> {
    let adopted = runningPid;
    try {
      await withRetries(CRASH_POLICY, { clock: this.#clock }, () => {
        const pid = adopted;
        adopted = undefined;
        return this.#runUntilCrash(pid);
      });
    } catch {
      await this.#giveUp();
    }
  }

  /** Rejects when the engine exits by itself; resolves when it need not be started again. */
  async #runUntilCrash(adopted: number | undefined): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const exited = new AbortController();
    // Without this a wait for readiness would delay the daemon's shutdown.
    const signal = AbortSignal.any([exited.signal, this.#stopping.signal]);
    const ready = this.#reportReady(signal);
    try {
      await (adopted === undefined ? this.#runOnce() : this.#watch(adopted));
    } catch (error) {
      this.#log.error({ error }, "the engine could not be run");
    }
    exited.abort();
    const wasReady = await ready;
    this.#pid = undefined;
    if (this.#stopping.signal.aborted) return;
    this.#log.warn({ crashes: ++this.#crashes }, "the engine exited by itself");
    this.#onEvent({ kind: "crashed", wasReady });
    throw new TremplinError("failed", "the engine exited by itself");
  }

  async #reportReady(signal: AbortSignal): Promise<boolean> {
    const isReady = await waitUntilReady(this.address, { clock: this.#clock, signal }).catch(() => false);
    if (isReady) this.#onEvent({ kind: "ready" });
    return isReady;
  }

  async #giveUp(): Promise<void> {
    const { maxRetries, windowMs } = CRASH_POLICY;
    const error = new TremplinError(
      "failed",
      `the engine ${this.#program.executable} died ${maxRetries + 1} times within ${windowMs / 1000} s and is not started again; the end of its log: ${await this.logTail()}`,
    );
    this.#log.error({ error }, "the engine is not started again");
    this.#gaveUp.abort(error);
    this.#onEvent({ kind: "gave-up", error });
  }

  async #watch(pid: number): Promise<void> {
    this.#pid = pid;
    const process = processIdentity(pid);
    while (process && isSameProcess(process) && !this.#stopping.signal.aborted) {
      await this.#clock.sleep(LIVENESS_INTERVAL_MS, this.#stopping.signal).catch(() => undefined);
    }
  }

  /**
   * Runs the engine until it exits: in a session of its own and with a file for its output, so that it outlives this
   * process.
   */
  async #runOnce(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o711 });
    await stopOrphanedDnsmasq(this.#folder, this.#clock);
    await noteNewestInterface(this.#folder, this.#log).catch((error) =>
      this.#log.warn({ error }, "the interfaces before the engine's start could not be recorded"),
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
    const signal = AbortSignal.any([this.#stopping.signal, this.#gaveUp.signal]);
    const logs = [{ path: this.#logPath, maxBytes: MAX_LOG_BYTES }];
    await rotateLogs(logs, { clock: this.#clock, log: this.#log, signal });
  }
}
