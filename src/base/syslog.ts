import type { DestinationStream } from "pino";
import { libc } from "./native/raw-socket.ts";

const LOG_PID = 1;
const LOG_DAEMON = 3 << 3;

const libcCalls = {
  openlog: libc.func("void openlog(const void*, int, int)"),
  syslog: libc.func("void syslog(int, const char*, ...)"),
};

/** The C library keeps the address of this buffer, not a copy. */
const TAG = Buffer.from("tremplin\0");

/** From the logger's level to the priority of syslog(3). */
const PRIORITIES = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
] as const;
const DEBUG = 7;

/** A log destination that writes to the system log with the tag `tremplin` (docs/contract.md#start-up-order). */
export function syslog(): DestinationStream {
  libcCalls.openlog(TAG, LOG_PID, LOG_DAEMON);
  const destination = {
    // With this property pino sets `lastLevel` before each line.
    [Symbol.for("pino.metadata")]: true,
    lastLevel: 0,
    write(line: string): void {
      const priority = PRIORITIES.find(([level]) => destination.lastLevel >= level)?.[1] ?? DEBUG;
      libcCalls.syslog(priority, "%s", "string", line.trimEnd());
    },
  };
  return destination;
}
