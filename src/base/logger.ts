import { type DestinationStream, type Logger, pino } from "pino";
import { currentOperation } from "./current-operation.ts";
import { canAccess } from "./files/files.ts";
import { loadNative } from "./native/load-native.ts";

export type { Logger };

/** The destinations of a log: JSON lines on standard error, or the system log. */
export const logTargets = ["stderr", "syslog"] as const;
export type LogTarget = (typeof logTargets)[number];

/**
 * A logger of JSON lines. `level` is one of trace, debug, info (default), warn, error, silent. Falls back to standard
 * error where the machine has no usable system log.
 */
export async function openLogger(level = "info", target: LogTarget = "stderr"): Promise<Logger> {
  if (target === "stderr") return loggerTo(standardError(), level);
  if (!(await canAccess("/dev/log"))) return await openStderrLogger(level, "there is no /dev/log");
  try {
    const { syslog } = await loadNative(() => import("./syslog.ts"));
    return loggerTo(syslog(), level);
  } catch (error) {
    return await openStderrLogger(level, (error as Error).message);
  }
}

/** A log that cannot be written, as on a full disk or to a reader that is gone, does not end the program. */
function standardError(): DestinationStream {
  return pino.destination({ dest: 2, sync: true }).on("error", () => undefined);
}

/** Logs an error that nothing caught, and ends the program. For programs whose messages are in a log. */
export function logUncaught(log: Logger): void {
  process.setUncaughtExceptionCaptureCallback((error) => {
    log.fatal({ error }, "the program ends because of an error that nothing caught");
    process.exit(1);
  });
}

async function openStderrLogger(level: string, why: string): Promise<Logger> {
  const log = await openLogger(level);
  log.warn({ why }, "no system log is available; logging to standard error");
  return log;
}

/** What openLogger makes, to any destination. */
export function loggerTo(destination: DestinationStream, level = "info"): Logger {
  const serializers = { error: pino.stdSerializers.errWithCause };
  return pino({ level, base: null, serializers, mixin: ownOperation }, destination);
}

/** Every line that an operation writes has its id, whatever part of the program writes it. */
function ownOperation(): object {
  const operation = currentOperation();
  return operation === undefined ? {} : { operation };
}

/** Writes nothing. */
export const silentLogger: Logger = pino({ level: "silent" });
