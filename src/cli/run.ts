import { CommanderError } from "commander";
import { TremplinError } from "../base/tremplin-error.ts";
import { exitCode, exitCodeOf } from "./exit-code.ts";
import { readOriginalCommandLine } from "./flags/original-command-line.ts";
import type { Io } from "./io.ts";
import { createProgram } from "./program.ts";

/** Runs one command line to its end and says with which number (exit-code.ts). Never throws. */
export async function run(commandLine: readonly string[], io: Io): Promise<number> {
  try {
    const words = readOriginalCommandLine(commandLine);
    const program = await createProgram(words[0] === "help" ? words[1] : words[0], io);
    await program.parseAsync([...words], { from: "user" });
    return Number(process.exitCode ?? exitCode.done);
  } catch (thrown) {
    // Commander has said it already.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCode.done : exitCode.usage;
    const error = TremplinError.from(thrown);
    io.err(`tremplin: ${error.message}\n`);
    return exitCodeOf[error.code];
  }
}
