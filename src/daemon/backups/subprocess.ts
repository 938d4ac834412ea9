import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Readable, Writable } from "node:stream";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

export interface SubprocessOptions {
  /** Kills the program. */
  readonly signal: AbortSignal;
  readonly cwd?: string;
  /** Its standard output, instead of `stdout`: a stream or an open file; "ignore" to discard it. */
  readonly output?: Writable | number | "ignore";
  /** Gets each line of standard error; returns false if the line could be the reason of a failure. */
  readonly consumeLine?: (line: string) => boolean;
}

const MAX_ERROR_LINES = 3;
/** Longer lines are cut: a hostile archive can contain a name of gigabytes. */
const MAX_LINE_LENGTH = 2048;

/**
 * A program in a pipeline. Disposing kills it if it still runs, and waits until it is gone. The kernel kills it when
 * this process dies.
 */
export class Subprocess implements AsyncDisposable {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal;
  readonly #closed: Promise<[number | null, NodeJS.Signals | null]>;
  readonly #errorLines: string[] = [];

  private constructor(name: string, child: ChildProcess, { signal, consumeLine }: SubprocessOptions) {
    this.#name = name;
    this.#child = child;
    this.#signal = signal;
    this.#closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
    const kill = (): boolean => child.kill("SIGKILL");
    signal.addEventListener("abort", kill, { once: true });
    this.#closed.catch(() => undefined).finally(() => signal.removeEventListener("abort", kill));
    child.stdin?.on("error", () => undefined);
    onLines(child.stderr as Readable, (line) => {
      if (consumeLine?.(line)) return;
      this.#errorLines.push(line);
      if (this.#errorLines.length > MAX_ERROR_LINES) this.#errorLines.shift();
    });
  }

  /** `name`: for error messages; by default the base name of the program. */
  static start(
    [program, ...args]: readonly [string, ...string[]],
    options: SubprocessOptions,
    name = basename(program),
  ): Subprocess {
    options.signal.throwIfAborted();
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", program, ...args], {
      cwd: options.cwd,
      env: { ...process.env, LC_ALL: "C.UTF-8" },
      stdio: ["pipe", options.output ?? "pipe", "pipe"],
    });
    return new Subprocess(name, child, options);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get stdin(): Writable {
    return this.#child.stdin as Writable;
  }

  get stdout(): Readable {
    return this.#child.stdout as Readable;
  }

  /** Resolves when the program accepts more; false if it has closed its input. */
  async write(chunk: Uint8Array): Promise<boolean> {
    this.#signal.throwIfAborted();
    if (!this.stdin.writable) return false;
    if (this.stdin.write(chunk)) return true;
    await this.#drained();
    return this.stdin.writable;
  }

  /** Resolves when the program accepts more, or has ended. Removes its listeners: a long archive waits here often. */
  async #drained(): Promise<void> {
    const child = this.#child;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.stdin.once("drain", resolve);
    child.once("exit", resolve);
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    await promise;
    this.stdin.off("drain", resolve);
    child.off("exit", resolve);
  }

  /** Ends the program's input. */
  end(): void {
    if (!this.stdin.destroyed) this.stdin.end();
  }

  /** Bytes that the program has read so far; 0 once it has ended. */
  get bytesRead(): number {
    return bytesReadByProcess(this.#child.pid);
  }

  /**
   * Waits for the end. Throws `failed` with the last lines of standard error unless the exit code is 0. `excused`: an
   * exit code that is a success too if all of standard error was consumed.
   */
  async succeeded(excused = 0): Promise<void> {
    const [code, killedBy] = await this.#closed.catch((error) => {
      throw new TremplinError("failed", `cannot run ${this.#name}: ${systemErrorText(error)}`, error);
    });
    if (code === 0 || (code === excused && this.#errorLines.length === 0)) return;
    if (killedBy === "SIGKILL") this.#signal.throwIfAborted();
    const end = code === null ? `was killed by ${killedBy}` : `ended with ${code}`;
    const reason = this.#errorLines.length > 0 ? `: ${this.#errorLines.join(" | ")}` : "";
    const cause = killedBy === "SIGPIPE" ? { code: "EPIPE" } : undefined;
    throw new TremplinError("failed", `${this.#name} ${end}${reason}`, cause);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    // An unread stream would keep it open.
    this.#child.stdout?.destroy();
    await this.#closed.catch(() => undefined);
  }
}

function onLines(output: Readable, handle: (line: string) => void): void {
  let rest = "";
  output.setEncoding("utf8");
  output.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = (lines.pop() ?? "").slice(0, MAX_LINE_LENGTH);
    for (const line of lines) handle(line.slice(0, MAX_LINE_LENGTH));
  });
  output.on("end", () => {
    if (rest !== "") handle(rest);
  });
}

/** Whether a program failed only because the one that it writes to has ended. */
export function isBrokenPipe(error: unknown): boolean {
  const { cause } = TremplinError.from(error);
  return (cause as NodeJS.ErrnoException | undefined)?.code === "EPIPE";
}

/** Bytes that a process has read so far from any file or pipe; 0 if it has ended. */
export function bytesReadByProcess(pid: number | undefined): number {
  try {
    return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
