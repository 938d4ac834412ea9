import { type ProgramLinesOptions, programLines } from "../../base/processes/program-lines.ts";

export type SandboxedOptions = Pick<ProgramLinesOptions, "signal"> & {
  /** A file that the program and all its children keep open: a lock on it lasts as long as any of them. */
  readonly held: number;
};

/**
 * Runs a program as programLines does, with mounts and processes of its own, so that one kill ends all it started
 * and takes its mounts with it.
 */
export function sandboxed(
  program: string,
  args: readonly string[],
  { signal, held }: SandboxedOptions,
): AsyncGenerator<string, void, void> {
  const own = ["--mount", "--ipc", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"];
  return programLines(["unshare", ...own, program, ...args], { name: program, signal, heldFile: held });
}

/** Resolves when the program has ended well; what it prints is only of interest when it does not. */
export async function ended(lines: AsyncGenerator<string, void, void>): Promise<void> {
  for await (const _ of lines);
}
