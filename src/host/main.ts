import { systemClock } from "../base/async/clock.ts";
import { rotatingLogs } from "../base/files/rotate-logs.ts";
import { type Logger, logUncaught, openLogger } from "../base/logger.ts";
import { ServiceManager } from "../base/processes/service-manager.ts";
import { openTraces } from "../telemetry/traces/open-traces.ts";
import { formatAddress } from "../transport/address.ts";
import { takeInheritedSockets } from "../transport/inherited-sockets.ts";
import { selfCheck } from "../transport/self-check.ts";
import type { HostOptions } from "./options.ts";
import { serveHost } from "./serve-host.ts";

/** Runs the host until SIGTERM or SIGINT. Rejects when it cannot start. */
export async function runHost(options: HostOptions): Promise<void> {
  const log = await openLogger(options.logLevel);
  logUncaught(log);
  using _rotation = rotatingLogs(options.rotatedLogs ?? [], systemClock, log);
  const shutdown = Promise.withResolvers<NodeJS.Signals>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => shutdown.resolve(signal));
  const manager = await ServiceManager.take(log);
  const inherited = await takeInheritedSockets();
  await using _traces = await openTraces("tremplin-host", options.version ?? "", log);
  await using metrics = await openMetrics(options, log);
  await using server = await serveHost(options, systemClock, log, inherited);
  metrics?.show(() => server.readings);
  const [addresses, listeners] = [server.addresses, server.listeners].map((all) => all.map(formatAddress));
  log.info({ addresses, listeners, console: server.consoleUrl }, "the host is listening");
  using check = selfCheck(server.addresses);
  using _serving = manager.serving(check, { clock: systemClock, log });
  log.info({ signal: await shutdown.promise }, "the host shuts down");
}

async function openMetrics({ metrics, version = "" }: HostOptions, log: Logger) {
  if (!metrics) return undefined;
  const { openHostMetrics } = await import("../telemetry/metrics/open-metrics.ts");
  return await openHostMetrics(metrics, { version, elapsed: systemClock.elapsed, log });
}
