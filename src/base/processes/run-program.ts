import { execFile } from "node:child_process";
import { promisify } from "node:util";

const execute = promisify(execFile);

export interface RunProgramOptions {
  /** After this time the program is killed. Default: it may run without limit. */
  readonly timeoutMs?: number;
}

/**
 * Runs a program to its end, without a shell, and returns its standard output. Throws when it cannot be started, ends
 * with another code than 0, or prints more than 1 MiB; the error's message contains its standard error.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { timeoutMs = 0 }: RunProgramOptions = {},
): Promise<string> {
  const { stdout } = await execute(program, args, { timeout: timeoutMs });
  return stdout;
}
