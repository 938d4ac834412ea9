import { join } from "node:path";
import type { Clock } from "../../base/async/clock.ts";
import { closedFolder } from "../../base/files/own-folder.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Engine } from "../../engine/engine.ts";
import type { EngineKind } from "../../engine/flavors/flavors.ts";
import type { EngineAddress } from "../../engine/http/engine-address.ts";
import { DatabaseReset } from "./database-reset/database-reset.ts";
import { mayResetAutomatically } from "./database-reset/reset-conditions.ts";
import type { EngineProvider } from "./engine-provider.ts";
import type { LaunchProgress, PreparedEngine, ResetRequest } from "./engine-state.ts";
import { launchManagedEngine } from "./launch-managed-engine.ts";
import { Bridge } from "./network/bridge.ts";
import { type PrepareOptions, prepareEngine } from "./prepare/prepare-engine.ts";
import type { EngineEvent } from "./process/engine-process.ts";
import { findEngineProgram } from "./process/engine-program.ts";
import { ManagedEngine } from "./process/managed-engine.ts";

type Options = Pick<PrepareOptions, "bridge" | "subnet" | "site" | "places" | "log"> & {
  readonly stateFolder: string;
  readonly clock: Clock;
  /** Called before the engine is started, which starts containers by itself. Never rejects. */
  readonly beforeStart: () => Promise<void>;
  /** Called with the kind of engine when it crashed after it was ready, or crashed too often. */
  readonly failed: (kind: EngineKind) => void;
};

/** Launches the managed engine, in a folder of the state folder. */
export class LaunchProvider implements EngineProvider {
  readonly isManaged = true;
  /** Undefined: the engine that is installed. */
  readonly #kind: EngineKind | undefined;
  readonly #options: Options;
  readonly #detaching = new AbortController();
  readonly #shuttingDown = new AbortController();
  #managed: ManagedEngine | undefined;
  #listener: (event: EngineEvent) => void = () => undefined;

  constructor(kind: EngineKind | undefined, options: Options) {
    this.#kind = kind;
    this.#options = options;
  }

  get launchSignal(): AbortSignal {
    return AbortSignal.any([this.#detaching.signal, this.#shuttingDown.signal]);
  }

  get lostSignal(): AbortSignal {
    return this.#managed?.lostSignal ?? this.#detaching.signal;
  }

  get gaveUpError(): TremplinError | undefined {
    return this.#managed?.gaveUpError;
  }

  listen(listener: (event: EngineEvent) => void): void {
    this.#listener = listener;
  }

  async isRunning(): Promise<boolean> {
    const managed = await this.#managedEngine().catch(() => undefined);
    return (await managed?.isRunning()) ?? false;
  }

  async provide(
    request: ResetRequest | undefined,
    report: (progress: LaunchProgress) => void,
  ): Promise<PreparedEngine> {
    const { bridge: name, stateFolder, subnet, site, clock, log } = this.#options;
    const managed = await this.#managedEngine();
    const { folder, layout } = managed;
    const bridge = new Bridge({ name, stateFolder, engineFolder: folder, log });
    log.info({ engine: managed.program.executable, folder }, "launching");
    await assertContainersPass(folder);
    await bridge.check(subnet);
    if (!(await managed.isRunning())) await bridge.checkOthers();
    const isAutomatic = async () =>
      !(await managed.isRunning()) && (await mayResetAutomatically(folder, layout, site.automaticReset));
    await this.#options.beforeStart();
    const prepared = await launchManagedEngine({
      managed,
      reset: await DatabaseReset.open(folder, layout, log),
      wantsReset: async () => request !== undefined || (await isAutomatic()),
      onResetBegun: async () => request?.onBegun(),
      connect: (address) => this.#connect(address),
      prepare: (engine, recovering) => this.#prepare(engine, folder, recovering),
      report,
      clock,
      log,
      signal: this.launchSignal,
    });
    await bridge.claim();
    return prepared;
  }

  async shutDown(): Promise<void> {
    this.#shuttingDown.abort(new TremplinError("cancelled", "the daemon ends"));
    const managed = await this.#managedEngine().catch(() => undefined);
    await managed?.shutDown();
  }

  detach(): void {
    this.#detaching.abort(new TremplinError("cancelled", "the daemon ends"));
    this.#managed?.detach();
  }

  /** The same object while the program is the same, because it knows whether its process runs. */
  async #managedEngine(): Promise<ManagedEngine> {
    const { stateFolder, clock, log } = this.#options;
    const program = await findEngineProgram(this.#kind);
    if (this.#managed?.program.executable === program.executable) return this.#managed;
    this.#managed?.detach();
    this.#managed = new ManagedEngine({
      program,
      folder: join(stateFolder, program.kind),
      shutdownSignal: this.#detaching.signal,
      clock,
      log,
      onEvent: (event) => this.#onEvent(event, program.kind),
    });
    return this.#managed;
  }

  #onEvent(event: EngineEvent, kind: EngineKind): void {
    if (event.kind === "gave-up" || (event.kind === "crashed" && event.wasReady)) this.#options.failed(kind);
    this.#listener(event);
  }

  #connect(address: EngineAddress): Promise<Engine> {
    const { clock, log } = this.#options;
    return Engine.connect(address, { log, clock, signal: this.#detaching.signal });
  }

  #prepare(engine: Engine, engineFolder: string, recovering: boolean) {
    return prepareEngine(engine, { ...this.#options, engineFolder, recovering, signal: this.launchSignal });
  }
}

/** The root user of a container is another user of the machine, whose files are in the engine's folder. */
async function assertContainersPass(folder: string): Promise<void> {
  const closed = await closedFolder(folder);
  if (closed === undefined) return;
  throw new TremplinError(
    "failed",
    `no container could start, because other users cannot pass through ${closed}: run chmod o+x ${closed}, or give another folder with --state`,
  );
}
