import { mkdir } from "node:fs/promises";
import type { Clock } from "../base/async/clock.ts";
import { acquireLock } from "../base/files/file-lock.ts";
import type { Logger } from "../base/logger.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { Guest } from "../contract/tremplin/v1/guest_pb.js";
import { Tremplin } from "../contract/tremplin_pb.js";
import type { Engine } from "../engine/engine.ts";
import type { DaemonReadings } from "../telemetry/metrics/daemon-metrics.ts";
import { admitRole } from "../transport/admission.ts";
import { health } from "../transport/health.ts";
import { reflection } from "../transport/reflection.ts";
import { type RpcServer, serve } from "../transport/server.ts";
import { vsockGuard } from "../transport/vsock/vsock-guard.ts";
import { CurrentPorts } from "./connections/current-ports.ts";
import { ContainerWatchers } from "./container-watchers.ts";
import { UsbAttachments } from "./devices/usb-attachments.ts";
import { collectGarbageWhenIdle } from "./idle-gc.ts";
import { FailureReports } from "./notices/failure-reports.ts";
import { HostNotices } from "./notices/host-notices.ts";
import type { JournalEntry } from "./notices/journal.ts";
import { operationKinds } from "./operations/kinds.ts";
import type { EngineAccess } from "./operations/operation-deps.ts";
import type { OperationKind } from "./operations/runner/operation.ts";
import { Runner } from "./operations/runner/runner.ts";
import { ContainersToStart } from "./operations/start/containers-to-start.ts";
import { UploadedImages } from "./operations/uploaded-images.ts";
import type { DaemonOptions } from "./options.ts";
import { guestService } from "./rpc/guest-service.ts";
import type { RpcDeps } from "./rpc/rpc.ts";
import { tremplinService } from "./rpc/tremplin-service.ts";
import { ShareMounts } from "./shares/share-mounts.ts";
import { ShareRecords } from "./shares/share-records.ts";
import { Shares } from "./shares/shares.ts";
import { loadSite } from "./sites/load-site.ts";
import { prepareSite } from "./sites/prepare-site.ts";
import { openStateFolder, type StateFolder } from "./state-folder.ts";
import { chooseEngine } from "./supervisor/engine-choice.ts";
import { parseSubnet } from "./supervisor/network/subnet.ts";
import { Supervisor, type SupervisorOptions } from "./supervisor/supervisor.ts";
import { version } from "./version.ts";

/** What outlives the start of a daemon. */
interface Core extends ReadParts {
  readonly shares: Shares;
  readonly recovery: Promise<void>;
}

interface Ambient {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The daemon with all its parts. Disposing it leaves the engine and the containers running; the next daemon recovers
 * the operations that were under way.
 */
export class Daemon implements AsyncDisposable {
  readonly #parts: AsyncDisposableStack;
  readonly #runner: Runner;
  readonly #supervisor: Supervisor;
  readonly #shares: Shares;
  readonly #recovery: Promise<void>;
  readonly #readings: () => DaemonReadings;

  private constructor(parts: AsyncDisposableStack, core: Core) {
    const { runner, supervisor, shares, recovery } = core;
    this.#parts = parts;
    this.#runner = runner;
    this.#supervisor = supervisor;
    this.#shares = shares;
    this.#recovery = recovery;
    this.#readings = () => readingsOf(core);
  }

  /** Resolves when the daemon serves requests (docs/contract.md#start-up-order). */
  static async start(options: DaemonOptions, ambient: Ambient): Promise<Daemon> {
    const { clock, log } = ambient;
    const startedAt = new Date(clock.now());
    const site = await loadSite(options.site);
    const state = await openStateFolder(options.state, log);
    await mkdir(options.shared, { recursive: true, mode: 0o700 });
    const places = { state: options.state, shared: options.shared };
    const shutdown = new AbortController();
    await using parts = new AsyncDisposableStack();
    parts.use(await lockStateFolder(state));
    const notices = parts.use(await openNotices(options, state, ambient));
    const { journal, finals } = notices;
    const ports = new CurrentPorts();
    const watched = { notices, runningFile: state.running, ports };
    const watchers = parts.use(new ContainerWatchers({ ...watched, ...ambient }));
    const failures = parts.use(
      new FailureReports({ address: site.crashListener, ...credentialsOf(options), log }),
    );

    const beforeRunning: BeforeRunning[] = [];
    const onReady = (engine: Engine) => inOrder(beforeRunning, engine);
    const failed = (program: string) => failures.send(program);
    const shares = parts.use(await openShares(options, state, () => engine.running(), ambient));
    const supervised = { ...supervisorOptions(options), site, places, onReady, failed, ...ambient };
    const beforeStart = () => shares.prepare();
    const supervisor = parts.use(new Supervisor({ ...supervised, beforeStart }));
    const engine = engineAccess(supervisor);
    const engineAnswers = (signal: AbortSignal) => supervisor.answers(signal);
    const runner = parts.use(
      new Runner({ journal, queue: notices.queue, finals, engineAnswers, ...ambient }),
    );
    const { milestone } = await prepareSite(site, places, log);
    const usb = parts.use(await UsbAttachments.open({ file: state.usb, engine: engine.running, ...ambient }));

    const common = { supervisor, engine, site, places, ...ambient };
    const kinds = operationKinds({
      ...common,
      uploads: new UploadedImages(),
      beforeBoot: (container) => shares.prepareContainer(container),
      milestone,
      shutdownSignal: shutdown.signal,
    });
    for (const kind of Object.values<OperationKind>(kinds)) runner.add(kind);
    // An external engine has the profile of its own site.
    const autostart = () => (supervisor.isManaged ? site.autostart : "off");
    const starting = { runner, kinds, ofSite: autostart, shutdownSignal: shutdown.signal, log };
    const toStart = new ContainersToStart(starting);
    beforeRunning.push(
      (ready) => watchers.watch(ready),
      async () => runner.recover((await journal.entries()).filter(isOnContainer)),
      (ready) => usb.watch(ready),
      (ready) => shares.watch(ready),
      (ready) => toStart.begin(ready),
    );

    const left = await journal.entries();
    await finals.resend(left);
    const recovery = recoverLaunch(left, runner, supervisor, log);
    const { daemonId } = state;
    const identity = { daemonId, version, startedAt, bridge: options.bridge };
    const served = { runner, kinds, notices, usb, shares, ports, toStart, autostart };
    parts.use(await serveRpcs(options, { ...common, ...identity, ...served }));
    notices.announce(`${daemonId}-${startedAt.getTime()}`);
    log.info({ version, site: site.name, state: state.path }, "listening");

    parts.defer(() => shutdown.abort(new TremplinError("cancelled", "the daemon stops")));
    void notices.rejected.sweep(shutdown.signal);
    const isBusy = () => runner.locks.all().length > 0 || watchers.isBusy;
    void collectGarbageWhenIdle(isBusy, clock, shutdown.signal);
    return new Daemon(parts.move(), { runner, supervisor, shares, notices, clock, recovery });
  }

  /** How it is now, for metrics. */
  get readings(): DaemonReadings {
    return this.#readings();
  }

  /** Stops the containers and a managed engine; dispose the daemon afterwards (docs/contract.md#shutdown). */
  async powerOff(): Promise<void> {
    // Operations would fail when their engine stops: the next daemon recovers them instead.
    await this.#runner[Symbol.asyncDispose]();
    await this.#supervisor.shutDown();
    // Folders of people are not left mounted below the state folder, which somebody may delete.
    if (this.#supervisor.isManaged) await this.#shares.unmountAll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
    await this.#recovery;
  }
}

interface ReadParts {
  readonly runner: Runner;
  readonly supervisor: Supervisor;
  readonly notices: HostNotices;
  readonly clock: Clock;
}

function readingsOf({ runner, supervisor, notices: { queue }, clock }: ReadParts): DaemonReadings {
  const { oldest } = queue;
  return {
    operations: runner.locks.all(),
    waiting: queue.length,
    oldestMs: oldest ? Math.max(0, clock.now() - oldest.since) : 0,
    hostAnswers: queue.outage === undefined,
    engineRuns: supervisor.state.status === "running",
  };
}

/** Part of the start of an engine: done before the engine counts as running. */
type BeforeRunning = (engine: Engine) => void | Promise<void>;

async function inOrder(steps: readonly BeforeRunning[], engine: Engine): Promise<void> {
  for (const step of steps) await step(engine);
}

function lockStateFolder({ path, lock }: StateFolder): Promise<AsyncDisposable> {
  const sentence = `another daemon works in ${path} already; stop it first, or give another folder with --state`;
  return acquireLock(lock, sentence);
}

function credentialsOf({ tls, token }: DaemonOptions) {
  return { tls, token };
}

function openNotices(options: DaemonOptions, state: StateFolder, ambient: Ambient) {
  const { daemonId, journal: journalFolder, rejected: rejectedFolder } = state;
  const { host } = options;
  const place = { daemonId, journalFolder, rejectedFolder };
  return HostNotices.open({ host, ...credentialsOf(options), ...place, ...ambient });
}

/** Where engines keep containers unless a person chose another place, and this program its keys. */
const ENGINE_FOLDERS = ["/var/lib/tremplin", "/var/lib/lxd", "/var/lib/incus", "/var/snap/lxd"];

async function openShares(
  { state, shared }: DaemonOptions,
  { shareRecords, shareMounts }: StateFolder,
  engine: () => Engine,
  ambient: Ambient,
): Promise<Shares> {
  const records = await ShareRecords.open(shareRecords, ambient.log);
  const mounts = new ShareMounts(shareMounts);
  return new Shares({ records, mounts, own: [state, shared, ...ENGINE_FOLDERS], engine, ...ambient });
}

function supervisorOptions(
  options: DaemonOptions,
): Pick<SupervisorOptions, "choice" | "stateFolder" | "bridgeName" | "subnet"> {
  const { engine, engineCert: cert, engineKey: key, engineCa: ca, state, bridge, lxdSubnet } = options;
  return {
    choice: chooseEngine(engine, { cert, key, ca }),
    stateFolder: state,
    bridgeName: bridge,
    subnet: lxdSubnet === undefined ? undefined : parseSubnet(lxdSubnet),
  };
}

function engineAccess(supervisor: Supervisor): EngineAccess {
  return { running: () => supervisor.engine, forRecovery: () => supervisor.engineForRecovery };
}

function isOnContainer({ container }: JournalEntry): boolean {
  return container !== "";
}

/** A daemon that died did not take the engine with it: the next one attaches to it. Never rejects. */
async function recoverLaunch(
  left: readonly JournalEntry[],
  runner: Runner,
  supervisor: Supervisor,
  log: Logger,
): Promise<void> {
  try {
    await runner.recover(left.filter((entry) => !isOnContainer(entry)));
    if (await supervisor.isRunningAlready()) await supervisor.launch().outcome;
  } catch (error) {
    log.error({ error }, "could not attach to the engine of an earlier daemon");
  }
}

/** Every request is served from here on; those that need an engine fail until one runs. */
function serveRpcs({ listen, tls, token, vsockPeers }: DaemonOptions, deps: RpcDeps): Promise<RpcServer> {
  const { log } = deps;
  return serve({
    addresses: listen,
    tls,
    tokens: token === undefined ? [] : [{ token }],
    admits: admitRole("host"),
    acceptsVsock: vsockGuard(vsockPeers, log),
    log,
    routes(router) {
      router.service(Tremplin, tremplinService(deps));
      router.service(Guest, guestService(deps));
      health(router, [Tremplin.typeName, Guest.typeName]);
      reflection(router, [Tremplin, Guest]);
    },
  });
}
