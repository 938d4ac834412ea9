import { jsonLine, plainLines } from "../base/text.ts";
import type { ErrorCode } from "../base/tremplin-error.ts";
import { exitCodeOf } from "./exit-code.ts";
import type { Io } from "./io.ts";

/** Prints why a command failed, as docs/command-line.md#json-output and #exit-codes have it. Returns the exit code. */
export function reportError(
  { code, message }: { readonly code: ErrorCode; readonly message: string },
  json: boolean,
  io: Pick<Io, "err">,
): number {
  const exitCode = exitCodeOf[code];
  io.err(json ? jsonLine({ error: { code, exitCode, message } }) : `tremplin: ${plainLines(message)}\n`);
  return exitCode;
}
