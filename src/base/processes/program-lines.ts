import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { TremplinError } from "../tremplin-error.ts";

export interface ProgramLinesOptions {
  /** How the program is called in the error that tells its end. */
  readonly name: string;
  readonly signal: AbortSignal;
  /** Beside the environment of this process; words are always plain English. */
  readonly env?: Readonly<Record<string, string>>;
  /** An open file that the program and all its children keep open. */
  readonly held?: number;
}

/**
 * Runs a program and yields what it prints on standard error, line by line. It is killed when the signal aborts, when
 * the caller stops reading, and when this process dies in whatever way. Throws `failed` with its last words when it
 * fails. When this has ended, all who could still print have.
 */
export async function* programLines(
  words: readonly string[],
  { name, signal, env, held }: ProgramLinesOptions,
): AsyncGenerator<string, void, void> {
  signal.throwIfAborted();
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...words], {
    env: { ...process.env, LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive", ...env },
    stdio: ["ignore", "ignore", "pipe", ...(held === undefined ? [] : [held])],
  });
  const stop = (): boolean => child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  closed.catch(() => undefined);
  const lastWords: string[] = [];
  try {
    for await (const line of createInterface({ input: child.stderr as Readable })) {
      if (line.trim() !== "") lastWords.push(line.trim());
      if (lastWords.length > 12) lastWords.shift();
      yield line;
    }
    const [code, killedBy] = await closed;
    signal.throwIfAborted();
    if (code !== 0)
      throw failure(name, code === null ? `was killed by ${killedBy}` : `ended with ${code}`, lastWords);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
    await closed.catch(() => undefined);
  }
}

/** Of apt's and mmdebstrap's words the first errors tell the cause; the later ones only that there was one. */
function failure(name: string, end: string, lastWords: string[]): TremplinError {
  const errors = lastWords.filter((line) => line.startsWith("E: ")).slice(0, 2);
  const telling = errors.length > 0 ? errors : lastWords.slice(-3);
  const said = telling.length > 0 ? `; its last words: ${telling.join(" | ")}` : "";
  return new TremplinError("failed", `${name} ${end}${said}`);
}
