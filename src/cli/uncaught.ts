import { errorMessage } from "../base/tremplin-error.ts";
import { exitCode } from "./exit-code.ts";
import type { Io } from "./io.ts";

/** The last line of defence: an error that nothing caught ends the program with a sentence, not with a stack trace. */
export function reportUncaught(io: Pick<Io, "err"> & Partial<Pick<Io, "terminal">>): void {
  process.on("uncaughtException", (error) => {
    io.terminal?.show("");
    io.err(`tremplin: ${errorMessage(error)}\n`);
    process.exit(exitCode.failed);
  });
}
