import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Readable, Writable } from "node:stream";
import { systemErrorText } from "../../base/system-error.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

export interface SubprocessOptions {
  /** Kills it. */
  readonly signal: AbortSignal;
  readonly cwd?: string;
  /** Where it writes to, instead of into a stream of ours: a stream or an open file; "ignore" for nowhere. */
  readonly output?: Writable | number | "ignore";
  /** Takes a line that it says on standard error; answers whether the line was only news. */
  readonly consumeLine?: (line: string) => boolean;
}

const MAX_ERROR_LINES = 3;
/** What a line is cut to: a hostile archive may have a name of gigabytes. */
const MAX_LINE_LENGTH = 2048;

/**
 * A program at work in a stream. Disposing kills it, when it has not ended, and waits until it is gone; so does the
 * end of this process, however that comes.
 */
export class Subprocess implements AsyncDisposable {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal;
  readonly #closed: Promise<[number | null, NodeJS.Signals | null]>;
  readonly #errorLines: string[] = [];

  private constructor(name: string, child: ChildProcess, { signal, consumeLine: news }: SubprocessOptions) {
    this.#name = name;
    this.#child = child;
    this.#signal = signal;
    this.#closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
    const kill = (): boolean => child.kill("SIGKILL");
    signal.addEventListener("abort", kill, { once: true });
    this.#closed.catch(() => undefined).finally(() => signal.removeEventListener("abort", kill));
    child.stdin?.on("error", () => undefined);
    onLines(child.stderr as Readable, (line) => {
      if (news?.(line)) return;
      this.#errorLines.push(line);
      if (this.#errorLines.length > MAX_ERROR_LINES) this.#errorLines.shift();
    });
  }

  /** Starts it. `name` is what it is called in errors; the first word of the command without. */
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

  /** Resolves when it can take more: false when it wants no more. */
  async write(chunk: Uint8Array): Promise<boolean> {
    this.#signal.throwIfAborted();
    if (!this.stdin.writable) return false;
    if (this.stdin.write(chunk)) return true;
    await this.#drained();
    return this.stdin.writable;
  }

  /** Resolves when it takes more, or has ended. Leaves nothing behind: a long archive waits here a million times. */
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

  /** Nothing more will be written. */
  end(): void {
    if (!this.stdin.destroyed) this.stdin.end();
  }

  /** How many bytes it has read so far; 0 once it has ended. */
  get bytesRead(): number {
    return bytesReadByProcess(this.#child.pid);
  }

  /** Resolves when it has ended well. Throws `failed` with its last words when it has not. */
  async succeeded(): Promise<void> {
    const [code, killedBy] = await this.#closed.catch((error) => {
      throw new TremplinError("failed", `${this.#name} could not be run: ${systemErrorText(error)}`, error);
    });
    if (code === 0) return;
    if (killedBy === "SIGKILL") this.#signal.throwIfAborted();
    const end = code === null ? `was killed by ${killedBy}` : `ended with ${code}`;
    const said = this.#errorLines.length > 0 ? `; its last words: ${this.#errorLines.join(" | ")}` : "";
    throw new TremplinError("failed", `${this.#name} ${end}${said}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    // What nobody reads any more would keep it open.
    this.#child.stdout?.destroy();
    await this.#closed.catch(() => undefined);
  }
}

function onLines(output: Readable, tell: (line: string) => void): void {
  let rest = "";
  output.setEncoding("utf8");
  output.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = (lines.pop() ?? "").slice(0, MAX_LINE_LENGTH);
    for (const line of lines) tell(line.slice(0, MAX_LINE_LENGTH));
  });
  output.on("end", () => {
    if (rest !== "") tell(rest);
  });
}

/** How many bytes a process has read from wherever so far, as the kernel counts them; 0 for one that has ended. */
export function bytesReadByProcess(pid: number | undefined): number {
  try {
    return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
