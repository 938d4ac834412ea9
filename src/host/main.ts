import { systemClock } from "../base/async/clock.ts";
import { rotatingLogs } from "../base/files/rotate-logs.ts";
import { logUncaught, openLogger } from "../base/logger.ts";
import { formatAddress } from "../transport/address.ts";
import type { HostOptions } from "./options.ts";
import { serveHost } from "./serve-host.ts";

/** Runs the host until SIGTERM or SIGINT. Rejects when it cannot start. */
export async function runHost(options: HostOptions): Promise<void> {
  const log = await openLogger(options.logLevel);
  logUncaught(log);
  using _rotation = rotatingLogs(options.rotatedLogs ?? [], systemClock, log);
  const shutdown = Promise.withResolvers<NodeJS.Signals>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => shutdown.resolve(signal));
  await using server = await serveHost(options, systemClock, log);
  const [addresses, listeners] = [server.addresses, server.listeners].map((all) => all.map(formatAddress));
  log.info({ addresses, listeners }, "the host is listening");
  log.info({ signal: await shutdown.promise }, "the host shuts down");
}
