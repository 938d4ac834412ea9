import type { Readable } from "node:stream";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { quietEnvironment } from "./apt.ts";
import { OutputLines } from "./output-lines.ts";
import { type AptStatus, readStatusLine } from "./status-line.ts";

/** How many of the last lines are looked at for the reason of a failure. */
const LAST_LINES = 40;
const FILES_LIMIT = 30_000;

/** Who hears what programs print. */
export interface Listener {
  output(lines: readonly string[]): Promise<void>;
  status(status: AptStatus): void;
}

export interface Ended {
  readonly exitCode: number;
  /** The last lines, the errors of apt's status among them. */
  readonly lastLines: readonly string[];
}

/** A running container as an upgrade works in it: from outside, as its root, with no terminal and no input. */
export class ContainerExec {
  readonly container: string;
  readonly #engine: () => Engine;
  readonly #listener: Listener;
  readonly #signal: AbortSignal;

  constructor(options: { engine: () => Engine; container: string; listener: Listener; signal: AbortSignal }) {
    this.container = options.container;
    this.#engine = options.engine;
    this.#listener = options.listener;
    this.#signal = options.signal;
  }

  get engine(): Engine {
    return this.#engine();
  }

  get signal(): AbortSignal {
    return this.#signal;
  }

  /** Runs a program to its end and has its lines heard. When the signal aborts it is killed. */
  async run(command: readonly string[]): Promise<Ended> {
    const signal = this.#signal;
    await using session = await this.engine.exec(this.container, {
      command,
      environment: quietEnvironment,
      signal,
    });
    const lastLines: string[] = [];
    const streams = [session.stdout, session.stderr].map((stream) => this.#hear(stream, lastLines));
    const [exitCode] = await Promise.all([session.exitCode, ...streams]);
    return { exitCode, lastLines };
  }

  /** As run(); throws `failed` with the reason it gave unless it ends well. `what` begins the sentence. */
  async runOrThrow(what: string, command: readonly string[]): Promise<void> {
    const { exitCode, lastLines } = await this.run(command);
    if (exitCode !== 0) throw failure(what, exitCode, lastLines);
  }

  /** Runs a program that prints little, and gives what it printed. Nobody hears it. */
  async capture(command: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    return await this.engine.execCapture(this.container, command, {
      environment: quietEnvironment,
      signal: this.#signal,
      maxBytes: 256 * 1024,
    });
  }

  /** Its files, for a while; closed by the caller. */
  files(): Promise<FileSession> {
    return this.engine.fileSession(this.container, { signal: this.#signal, timeoutMs: FILES_LIMIT });
  }

  async #hear(stream: Readable, lastLines: string[]): Promise<void> {
    const lines = new OutputLines();
    const hear = async (found: readonly string[]) => {
      const output: string[] = [];
      for (const line of found) {
        const status = readStatusLine(line);
        if (status === "nothing") continue;
        if (status) this.#listener.status(status);
        if (status === undefined) output.push(line);
        if (status?.kind === "error") output.push(`dpkg: ${status.words}`);
      }
      lastLines.push(...output);
      lastLines.splice(0, Math.max(0, lastLines.length - LAST_LINES));
      await this.#listener.output(output);
    };
    for await (const bytes of stream as AsyncIterable<Buffer>) await hear(lines.take(bytes));
    await hear(lines.end());
  }
}

/** What a program that failed said: errors first, for what comes after them only says that there was one. */
export function failure(what: string, exitCode: number, lastLines: readonly string[]): TremplinError {
  const errors = lastLines.filter((line) => /^(E:|Err:|dpkg: |W: (GPG|Failed))/.test(line));
  const telling = (errors.length > 0 ? errors.slice(0, 3) : lastLines.slice(-3)).map((line) =>
    line.slice(0, 300),
  );
  const said = telling.length > 0 ? `: ${telling.join(" | ")}` : "";
  return new TremplinError("failed", `${what} failed with exit code ${exitCode}${said}`);
}
