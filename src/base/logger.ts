import { type DestinationStream, type Logger, pino } from "pino";
import { canAccess } from "./files/can-access.ts";
import { loadNative } from "./native/load-native.ts";

export type { Logger };

/** Where a log may go: JSON lines on standard error (journald, a file, a console), or in the log of the machine. */
export const logTargets = ["stderr", "syslog"] as const;
export type LogTarget = (typeof logTargets)[number];

/**
 * A logger of JSON lines. `level` is one of trace, debug, info (default), warn, error, silent. Where the machine has
 * no log, or it cannot be written to, standard error takes its place.
 */
export async function openLogger(level = "info", target: LogTarget = "stderr"): Promise<Logger> {
  if (target === "stderr") return loggerTo(pino.destination({ dest: 2, sync: true }), level);
  if (!(await canAccess("/dev/log"))) return await insteadOfSyslog(level, "there is no /dev/log");
  try {
    const { syslog } = await loadNative(() => import("./syslog.ts"));
    return loggerTo(syslog(), level);
  } catch (error) {
    return await insteadOfSyslog(level, (error as Error).message);
  }
}

async function insteadOfSyslog(level: string, why: string): Promise<Logger> {
  const log = await openLogger(level);
  log.warn({ why }, "the log goes to standard error");
  return log;
}

function loggerTo(destination: DestinationStream, level: string): Logger {
  return pino({ level, base: null, serializers: { error: pino.stdSerializers.errWithCause } }, destination);
}

/** For tests and for callers that want no log. */
export const silentLogger: Logger = pino({ level: "silent" });
