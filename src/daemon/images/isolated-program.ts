import { type ProgramLinesOptions, programLines } from "../../base/processes/program-lines.ts";

export type IsolatedOptions = Pick<ProgramLinesOptions, "signal"> & {
  /** A file descriptor that the program and its children inherit: a lock on it lasts as long as any of them. */
  readonly lockFd: number;
};

/**
 * Runs a trusted program with programLines in mount and pid namespaces of its own, so that a kill also ends its
 * children and unmounts its mounts. For untrusted input see backups/sandbox.ts.
 */
export function runIsolated(
  program: string,
  args: readonly string[],
  { signal, lockFd }: IsolatedOptions,
): AsyncGenerator<string, void, void> {
  const namespaces = ["--mount", "--ipc", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"];
  return programLines(["unshare", ...namespaces, program, ...args], {
    name: program,
    signal,
    heldFile: lockFd,
  });
}

/** Waits for the end of a program and ignores its output. Throws if it fails. */
export async function succeeded(lines: AsyncGenerator<string, void, void>): Promise<void> {
  for await (const _ of lines);
}
