import { jsonLine, plainLines } from "../base/text.ts";
import type { ErrorCode } from "../base/tremplin-error.ts";
import { exitCodeOf } from "./exit-code.ts";
import type { Io } from "./io.ts";

interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly operation?: string;
}

/** Prints why a command failed, as docs/command-line.md#json-output and #exit-codes have it. Returns the exit code. */
export function reportError(
  { code, message, operation }: Failure,
  json: boolean,
  io: Pick<Io, "err">,
): number {
  const exitCode = exitCodeOf[code];
  if (json) io.err(jsonLine({ error: { code, exitCode, message, operation } }));
  else {
    io.err(`tremplin: ${plainLines(message)}\n`);
    // What was cancelled needs no search for its cause.
    if (operation !== undefined && code !== "cancelled")
      io.err(`tremplin: the logs have this as operation ${operation}\n`);
  }
  return exitCode;
}
