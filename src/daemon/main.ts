import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { systemClock } from "../base/async/clock.ts";
import { openLogger } from "../base/logger.ts";
import { acquireProcessLock } from "../base/processes/process-lock.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { file_tremplin_v1_guest, Guest } from "../contract/tremplin/v1/guest_pb.js";
import { file_tremplin, Tremplin } from "../contract/tremplin_pb.js";
import type { Engine } from "../engine/engine.ts";
import { dial } from "../transport/client.ts";
import { health } from "../transport/health.ts";
import { reflection } from "../transport/reflection.ts";
import { serve } from "../transport/server.ts";
import { vsockGuard } from "../transport/vsock/vsock-guard.ts";
import { isTemporaryName } from "./containers/temporary-name.ts";
import { UsbAttachments } from "./devices/usb-attachments.ts";
import { collectGarbageWhenIdle } from "./idle-gc.ts";
import { deliverTo } from "./notices/delivery.ts";
import { FailureReports } from "./notices/failure-reports.ts";
import { FinalNotices } from "./notices/final-notices.ts";
import { Journal } from "./notices/journal.ts";
import { notice } from "./notices/notice.ts";
import { NoticeQueue } from "./notices/notice-queue.ts";
import { RejectedNotices } from "./notices/rejected-notices.ts";
import { Runner } from "./operations/runner/runner.ts";
import { UploadedImages } from "./operations/uploaded-images.ts";
import type { DaemonOptions } from "./options.ts";
import { guestService } from "./rpc/guest-service.ts";
import { tremplinService } from "./rpc/tremplin-service.ts";
import { prepareClientFolder } from "./sites/client-folder.ts";
import { loadSite } from "./sites/load-site.ts";
import { prepareMilestone } from "./sites/milestone.ts";
import { openStateFolder } from "./state-folder.ts";
import { chooseEngine } from "./supervisor/engine-choice.ts";
import { parseSubnet } from "./supervisor/network/subnet.ts";
import { Supervisor } from "./supervisor/supervisor.ts";
import { version } from "./version.ts";
import { ContainerStopWatcher } from "./watch/container-stops.ts";
import { ContainerSockets } from "./watch/ports/container-sockets.ts";
import { ListeningPorts } from "./watch/ports/listening-ports.ts";

/** Runs the daemon until SIGTERM, which leaves the engine running, or SIGPWR, which stops everything. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const startedAt = new Date();
  const clock = systemClock;
  const log = await openLogger(options.logLevel, options.log);
  const ended = Promise.race([once(process, "SIGTERM"), once(process, "SIGINT"), once(process, "SIGPWR")]);
  const site = await loadSite(options.site);
  const state = await openStateFolder(options.state);
  await mkdir(options.shared, { recursive: true, mode: 0o700 });
  const places = { state: options.state, shared: options.shared };

  await using ending = new AsyncDisposableStack();
  const taken = `another daemon works in ${options.state} already; stop it first, or give another folder with --state`;
  ending.use(await acquireProcessLock(state.daemonId, taken));
  const host = ending.use(dial(options.host, { tls: options.tls }));
  const outbox = ending.use(
    new NoticeQueue({ deliver: deliverTo(host.transport, state.daemonId), clock, log }),
  );
  const journal = await Journal.open(state.journal, log);
  const refused = await RejectedNotices.open({ folder: state.refused, outbox, clock, log });
  const finals = new FinalNotices({ journal, outbox, refused, clock, log });
  const ports = ending.use(
    new ListeningPorts({ queue: outbox, isHidden: isTemporaryName, open: ContainerSockets.open, clock, log }),
  );
  const shutdowns = ending.use(
    new ContainerStopWatcher({
      file: state.running,
      isHidden: isTemporaryName,
      async report(containerName) {
        ports.stopped(containerName);
        await finals.tell(containerName, "containerShutdown", { containerName });
      },
      clock,
      log,
    }),
  );
  const failures = ending.use(new FailureReports({ address: site.crashListener, tls: options.tls, log }));
  const supervisor = ending.use(
    new Supervisor({
      choice: chooseEngine(options.engine, {
        cert: options.engineCert,
        key: options.engineKey,
        ca: options.engineCa,
      }),
      stateFolder: options.state,
      bridgeName: options.bridge,
      subnet: options.lxdSubnet === undefined ? undefined : parseSubnet(options.lxdSubnet),
      site,
      places,
      clock,
      log,
      onReady,
      failed: (program) => failures.send(program),
    }),
  );
  const engineAnswers = (signal: AbortSignal) => supervisor.answers(signal);
  const runner = ending.use(new Runner({ journal, queue: outbox, finals, engineAnswers, clock, log }));
  const milestone = await prepareMilestone(site);
  await prepareClientFolder(site, places, log);
  const over = new AbortController();
  const common = {
    supervisor,
    uploads: new UploadedImages(),
    site,
    places,
    milestone,
    shutdownSignal: over.signal,
    clock,
    log,
  };
  const operations = { ...common, engine: () => supervisor.engineForRecovery };
  const tools = { ...common, engine: () => supervisor.engine, operations, runner };
  const usb = ending.use(await UsbAttachments.open({ file: state.usb, engine: tools.engine, clock, log }));
  const about = { daemonId: state.daemonId, version, startedAt, bridge: options.bridge };
  const guest = { ...tools, ...about, outbox, refused, journal, journalFolder: state.journal, usb };
  // Both make known what they run before anything that was left is recovered.
  const tremplin = tremplinService(guest);
  const beyond = guestService(guest);
  const left = await journal.entries();
  await finals.resend(left);
  const resumed = resume().catch((error) =>
    log.error({ error }, "what an earlier daemon left is not put right yet"),
  );
  ending.use(
    await serve({
      addresses: options.listen,
      tls: options.tls,
      acceptsVsock: vsockGuard(options.vsockPeers, log),
      log,
      routes(router) {
        router.service(Tremplin, tremplin);
        router.service(Guest, beyond);
        health(router, [Tremplin.typeName, Guest.typeName]);
        reflection(router, [file_tremplin, file_tremplin_v1_guest]);
      },
    }),
  );
  // The host may come much later than we do; everything else that it is to hear waits for this.
  const announced = outbox
    .open({
      id: `${state.daemonId}-${startedAt.getTime()}`,
      orderingKey: "",
      notice: notice("tremplinReady", {}),
      final: true,
    })
    .catch((error) => log.debug({ error }, "ended before the host was there"));
  log.info({ version, site: site.name, state: options.state }, "listening");
  ending.defer(() => over.abort(new TremplinError("cancelled", "the daemon ends")));
  void refused.sweep(over.signal);
  void collectGarbageWhenIdle(() => runner.locks.all().length > 0 || ports.areChanging, clock, over.signal);

  const [signal] = await ended;
  log.info({ signal }, "ending");
  if (signal === "SIGPWR") {
    // Work that saw its engine end would fail; so it is left to the next daemon first.
    await runner[Symbol.asyncDispose]();
    await supervisor.shutDown();
  }
  await ending.disposeAsync();
  await Promise.all([announced, resumed]);

  /** Before an engine counts as running, what an earlier daemon left half done is put right. */
  async function onReady(engine: Engine): Promise<void> {
    await shutdowns.watch(engine);
    ports.watch(engine);
    await runner.recover((await journal.entries()).filter(({ container }) => container !== ""));
    usb.watch(engine);
  }

  /** A daemon that died does not take the engine with it: the next one goes on where it was. */
  async function resume(): Promise<void> {
    await runner.recover(left.filter(({ container }) => container === ""));
    if (await supervisor.isRunningAlready()) await supervisor.launch().outcome;
  }
}
