import { once } from "node:events";
import { systemClock } from "../base/async/clock.ts";
import { rotatingLogs } from "../base/files/rotate-logs.ts";
import { type Logger, logUncaught, openLogger } from "../base/logger.ts";
import { ServiceManager } from "../base/processes/service-manager.ts";
import { openTraces } from "../telemetry/traces/open-traces.ts";
import { selfCheck } from "../transport/self-check.ts";
import { Daemon } from "./daemon.ts";
import type { DaemonOptions } from "./options.ts";
import { version } from "./version.ts";

/** Runs the daemon until SIGTERM or SIGINT, which leave the engine running, or SIGPWR, which stops everything. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const log = await openLogger(options.logLevel, options.log);
  logUncaught(log);
  using _rotation = rotatingLogs(options.rotatedLogs ?? [], systemClock, log);
  const manager = await ServiceManager.take(log);
  const signalled = Promise.race(["SIGTERM", "SIGINT", "SIGPWR"].map((signal) => once(process, signal)));
  await using _traces = await openTraces("tremplin-daemon", version, log);
  await using metrics = await openMetrics(options, log);
  await using daemon = await Daemon.start(options, { clock: systemClock, log });
  metrics?.show(() => daemon.readings);
  using check = selfCheck(options.listen);
  using _serving = manager.serving(check, { clock: systemClock, log });
  const [signal] = await signalled;
  log.info({ signal }, "the daemon stops");
  if (signal === "SIGPWR") await daemon.powerOff();
}

async function openMetrics({ metrics }: DaemonOptions, log: Logger) {
  if (!metrics) return undefined;
  const { openDaemonMetrics } = await import("../telemetry/metrics/open-metrics.ts");
  return await openDaemonMetrics(metrics, { version, elapsed: systemClock.elapsed, log });
}
