import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { Readable } from "node:stream";
import { TremplinError } from "../../base/tremplin-error.ts";
import { bytesReadBy } from "./bytes-read-by.ts";
import type { UserNamespace } from "./user-namespace.ts";

/** Bytes of memory: the largest windows of zstd and xz fit, a name of gigabytes in an archive does not. */
const MEMORY = 1024 ** 3;
/** nobody and nogroup, the same on all Linux systems that matter here. */
const NOBODY = 65534;
const LAST_WORDS = 2048;

export interface ConfinedProgramOptions {
  readonly signal: AbortSignal;
  /** The program that reads its output, instead of this process. */
  readonly into?: ConfinedProgram;
  /** Where it may write: it runs in this folder as the root of the namespace, which must be one that shifts ids. */
  readonly home?: { readonly folder: string; readonly namespace: UserNamespace };
}

/**
 * A program that reads what a stranger wrote: it has bounded memory and runs as nobody, who can get no privileges
 * and opens nothing but its pipes, or as nobody but the root of a container. It ends when the signal aborts, when it is disposed, and when this process does.
 */
export class ConfinedProgram implements AsyncDisposable {
  /** To be read to its end, or the program stands still. */
  readonly output: Readable;
  readonly #name: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #signal: AbortSignal;
  readonly #exited: Promise<unknown>;
  readonly #closed: Promise<[number | null, NodeJS.Signals | null]>;
  readonly #kill = (): boolean => this.#child.kill("SIGKILL");
  #lastWords = "";

  constructor(
    command: readonly [program: string, ...args: string[]],
    { signal, into, home }: ConfinedProgramOptions,
  ) {
    signal.throwIfAborted();
    this.#name = command[0];
    this.#signal = signal;
    const bounds = [`--as=${MEMORY}`, "--core=0"];
    const identity = ["--reuid", `${NOBODY}`, "--regid", `${NOBODY}`, "--clear-groups", "--no-new-privs"];
    const nobody = ["setpriv", ...identity, "--pdeathsig", "KILL", "--", ...command];
    const confined = home ? home.namespace.command(...command) : nobody;
    const child = spawn("prlimit", [...bounds, "--", ...confined], {
      cwd: home?.folder ?? "/",
      env: { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" },
      stdio: ["pipe", into ? into.#child.stdin : "pipe", "pipe"],
    }) as ChildProcessWithoutNullStreams;
    // The program has its own end of it now. Ours must go without the word that no more will come.
    if (into) into.#child.stdin.destroy();
    this.#child = child;
    this.output = child.stdout ?? Readable.from([]);
    this.#exited = once(child, "exit");
    this.#closed = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
    for (const promise of [this.#exited, this.#closed]) promise.catch(() => undefined);
    // It may end before it has read everything; whether that is well, its exit code tells.
    child.stdin.on("error", () => undefined);
    child.stderr.on("data", (chunk: Buffer) => {
      this.#lastWords = (this.#lastWords + chunk.toString("latin1")).slice(-LAST_WORDS);
    });
    signal.addEventListener("abort", this.#kill, { once: true });
  }

  /** Resolves when it can take more: false when it wants no more. */
  async write(chunk: Uint8Array): Promise<boolean> {
    const { stdin } = this.#child;
    this.#signal.throwIfAborted();
    if (!stdin.writable) return false;
    if (stdin.write(chunk)) return true;
    await this.#drained();
    return stdin.writable;
  }

  /** Resolves when it takes more, or has ended. Leaves nothing behind: a long archive waits here a million times. */
  async #drained(): Promise<void> {
    const child = this.#child;
    const { promise, resolve } = Promise.withResolvers<void>();
    child.stdin.once("drain", resolve);
    child.once("exit", resolve);
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    await promise;
    child.stdin.off("drain", resolve);
    child.off("exit", resolve);
  }

  /** Nothing more will be written. */
  end(): void {
    if (!this.#child.stdin.destroyed) this.#child.stdin.end();
  }

  /** How many bytes it has read so far; 0 once it has ended. */
  get bytesRead(): number {
    return bytesReadBy(this.#child.pid);
  }

  /** Resolves when it has ended well. Throws `failed` with its last words when it has not. */
  async succeeded(): Promise<void> {
    const [code, killedBy] = await this.#closed;
    this.#signal.throwIfAborted();
    if (code === 0) return;
    const end = code === null ? `was ended by ${killedBy}` : `ended with ${code}`;
    const words = this.#lastWords.trim().split("\n").slice(-3).join(" | ");
    throw new TremplinError("failed", `${this.#name} ${end}${words && `: ${words}`}`);
  }

  /** Ends it, if it has not ended, and waits until it has. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener("abort", this.#kill);
    this.#kill();
    this.output.destroy();
    await this.#exited.catch(() => undefined);
  }
}
