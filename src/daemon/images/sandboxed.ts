import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { TremplinError } from "../../base/tremplin-error.ts";

export interface SandboxedOptions {
  readonly signal: AbortSignal;
  /** A file that the program and all its children keep open: a lock on it lasts as long as any of them. */
  readonly held: number;
}

/**
 * Runs a program with mounts and processes of its own, so that one kill ends all it started and takes its
 * mounts with it: when the signal aborts, when the caller stops reading, and when this process dies in whatever
 * way. Yields what the program prints, line by line. Throws `failed` with its last words when it fails. When
 * this has ended, every process of it has.
 */
export async function* sandboxed(
  program: string,
  args: readonly string[],
  { signal, held }: SandboxedOptions,
): AsyncGenerator<string, void, void> {
  signal.throwIfAborted();
  const own = ["--mount", "--ipc", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", "unshare", ...own, program, ...args], {
    env: { ...process.env, LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "ignore", "pipe", held],
  });
  const { stderr } = child;
  if (!stderr) throw new TremplinError("failed", `${program} could not be started`);
  const stop = (): boolean => child.kill("SIGKILL");
  signal.addEventListener("abort", stop, { once: true });
  // "close" comes when the last process that could still print has ended.
  const closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  closed.catch(() => undefined);
  const lastWords: string[] = [];
  try {
    for await (const line of createInterface({ input: stderr })) {
      if (line.trim() !== "") lastWords.push(line.trim());
      if (lastWords.length > 12) lastWords.shift();
      yield line;
    }
    const [code, killedBy] = await closed;
    signal.throwIfAborted();
    if (code !== 0)
      throw failure(program, code === null ? `was killed by ${killedBy}` : `ended with ${code}`, lastWords);
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
    await closed.catch(() => undefined);
  }
}

/** Resolves when the program has ended well; what it prints is only of interest when it does not. */
export async function ended(lines: AsyncGenerator<string, void, void>): Promise<void> {
  for await (const _ of lines);
}

/** Of apt's and mmdebstrap's words the first errors tell the cause; the later ones only that there was one. */
function failure(program: string, end: string, lastWords: string[]): TremplinError {
  const errors = lastWords.filter((line) => line.startsWith("E: ")).slice(0, 2);
  const telling = errors.length > 0 ? errors : lastWords.slice(-3);
  const said = telling.length > 0 ? `; its last words: ${telling.join(" | ")}` : "";
  return new TremplinError("failed", `${program} ${end}${said}`);
}
