import { type Logger, pino } from "pino";

export type { Logger };

/**
 * JSON lines on standard error (journald, a file, a VM console). `level` is one of trace, debug, info
 * (default), warn, error, silent.
 */
export function createLogger(level = "info"): Logger {
  return pino(
    { level, base: null, serializers: { error: pino.stdSerializers.errWithCause } },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** For tests and for callers that want no log. */
export const silentLogger: Logger = pino({ level: "silent" });
