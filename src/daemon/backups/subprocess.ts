import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { TremplinError } from "../../base/tremplin-error.ts";

export interface SubprocessOptions {
  /** Kills it. */
  readonly signal: AbortSignal;
  readonly cwd?: string;
  /** Where it writes to, instead of into a stream of ours: a stream or an open file; "ignore" for nowhere. */
  readonly output?: Writable | number | "ignore";
  /** Takes a line that it says on standard error; answers whether the line was only news. */
  readonly news?: (line: string) => boolean;
}

const LAST_WORDS = 3;

/**
 * A program at work in a stream. Disposing kills it, when it has not ended, and waits until it is gone; so does the
 * end of this process, however that comes.
 */
export class Subprocess implements AsyncDisposable {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #signal: AbortSignal;
  readonly #closed: Promise<[number | null, NodeJS.Signals | null]>;
  readonly #lastWords: string[] = [];

  private constructor(name: string, child: ChildProcess, { signal, news }: SubprocessOptions) {
    this.#name = name;
    this.#child = child;
    this.#signal = signal;
    this.#closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
    const kill = (): boolean => child.kill("SIGKILL");
    signal.addEventListener("abort", kill, { once: true });
    this.#closed.catch(() => undefined).finally(() => signal.removeEventListener("abort", kill));
    child.stdin?.on("error", () => undefined);
    createInterface({ input: child.stderr as Readable }).on("line", (line) => {
      if (news?.(line)) return;
      this.#lastWords.push(line);
      if (this.#lastWords.length > LAST_WORDS) this.#lastWords.shift();
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

  /** Resolves when it has ended well. Throws `failed` with its last words when it has not. */
  async succeeded(): Promise<void> {
    const [code, killedBy] = await this.#closed.catch((error) => {
      throw new TremplinError("failed", `${this.#name} could not be run: ${error.message}`, error);
    });
    if (code === 0) return;
    if (killedBy === "SIGKILL") this.#signal.throwIfAborted();
    const end = code === null ? `was killed by ${killedBy}` : `ended with ${code}`;
    const said = this.#lastWords.length > 0 ? `; its last words: ${this.#lastWords.join(" | ")}` : "";
    throw new TremplinError("failed", `${this.#name} ${end}${said}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed.catch(() => undefined);
  }
}
