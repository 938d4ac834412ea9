import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { TremplinError } from "../tremplin-error.ts";
import { withoutCredentials } from "../without-credentials.ts";

export interface ProgramLinesOptions {
  /** The name of the program in errors. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Added to the environment of this process. The program's messages are always in English. */
  readonly env?: Readonly<Record<string, string>>;
  /** A file descriptor that the program and its children inherit and keep open. */
  readonly heldFile?: number;
}

/**
 * Runs a program and yields the lines of its standard error, without passwords in URIs. The program is killed when the
 * signal aborts, when the caller stops reading, and when this process ends in any way. Throws `failed` with the end of
 * its output when it fails. When this returns, every process that could still print has ended.
 */
export async function* programLines(
  command: readonly string[],
  { name, signal, env, heldFile: held }: ProgramLinesOptions,
): AsyncGenerator<string, void, void> {
  signal.throwIfAborted();
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...command], {
    env: { ...process.env, LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive", ...env },
    stdio: ["ignore", "ignore", "pipe", ...(held === undefined ? [] : [held])],
  });
  const stop = (): boolean => child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  closed.catch(() => undefined);
  const lastLines: string[] = [];
  try {
    for await (const printed of createInterface({ input: child.stderr as Readable })) {
      const line = withoutCredentials(printed);
      if (line.trim() !== "") lastLines.push(line.trim());
      if (lastLines.length > 12) lastLines.shift();
      yield line;
    }
    const [code, killedBy] = await closed;
    signal.throwIfAborted();
    if (code !== 0)
      throw failure(name, code === null ? `was killed by ${killedBy}` : `ended with ${code}`, lastLines);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
    await closed.catch(() => undefined);
  }
}

/** The first errors of apt and mmdebstrap name the cause; the later ones only say that there was an error. */
function failure(name: string, end: string, lastLines: string[]): TremplinError {
  const errors = lastLines.filter((line) => line.startsWith("E: ")).slice(0, 2);
  const shown = errors.length > 0 ? errors : lastLines.slice(-3);
  const said = shown.length > 0 ? `; the end of its output: ${shown.join(" | ")}` : "";
  return new TremplinError("failed", `${name} ${end}${said}`);
}
