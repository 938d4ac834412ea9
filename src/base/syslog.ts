import type { DestinationStream } from "pino";
import { libc } from "./native/raw-socket.ts";

const LOG_PID = 1;
const LOG_DAEMON = 3 << 3;

const calls = {
  openlog: libc.func("void openlog(const void*, int, int)"),
  syslog: libc.func("void syslog(int, const char*, ...)"),
};

/** The C library keeps its address, not a copy. */
const TAG = Buffer.from("tremplin\0");

/** From the logger's level of a line to the priority that syslog(3) has for it. */
const priorities = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
] as const;
const DEBUG = 7;

/** Where a logger writes to have its lines in the log of the machine, under the tag `tremplin` (behaviour.md 1.3). */
export function syslog(): DestinationStream {
  calls.openlog(TAG, LOG_PID, LOG_DAEMON);
  const destination = {
    // By this word pino tells the level of the line that it is about to write.
    [Symbol.for("pino.metadata")]: true,
    lastLevel: 0,
    write(line: string): void {
      const priority = priorities.find(([level]) => destination.lastLevel >= level)?.[1] ?? DEBUG;
      calls.syslog(priority, "%s", "string", line.trimEnd());
    },
  };
  return destination;
}
