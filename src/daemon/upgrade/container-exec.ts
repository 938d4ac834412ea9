import type { Readable } from "node:stream";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { FileSession } from "../../engine/files/file-session.ts";
import { type AptStatus, nonInteractiveEnvironment, parseStatusLine } from "./apt.ts";
import { EndMark } from "./end-mark.ts";
import { OutputLines } from "./output-lines.ts";

/** How many of the last lines are searched for the reason of a failure. */
const MAX_LAST_LINES = 40;
const FILES_TIMEOUT_MS = 30_000;

/** Receives the output of programs. */
export interface OutputListener {
  output(lines: readonly string[]): Promise<void>;
  status(status: AptStatus): void;
}

export interface ProgramResult {
  readonly exitCode: number;
  /** The last lines, including the errors in apt's status lines. */
  readonly lastLines: readonly string[];
}

/** Runs programs in a container for an upgrade: as root, without a terminal and without input. */
export class ContainerExec {
  readonly container: string;
  readonly #engine: () => Engine;
  readonly #listener: OutputListener;
  readonly #signal: AbortSignal;

  constructor(options: {
    engine: () => Engine;
    container: string;
    listener: OutputListener;
    signal: AbortSignal;
  }) {
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

  /** Runs a program and passes its lines to the listener. The program is killed when the signal aborts. */
  async run(command: readonly string[]): Promise<ProgramResult> {
    const signal = this.#signal;
    await using session = await this.engine.exec(this.container, {
      command,
      environment: nonInteractiveEnvironment,
      signal,
    });
    const lastLines: string[] = [];
    const streams = [session.stdout, session.stderr].map((stream) => this.#readLines(stream, lastLines));
    const [exitCode] = await Promise.all([session.exitCode, ...streams]);
    return { exitCode, lastLines };
  }

  /**
   * As run(), for a program that changes the container: returns when the program ends, also if a service that it
   * started keeps its output open. If the signal aborts, its children may outlive it until the container is stopped.
   */
  async runChange(command: readonly string[]): Promise<ProgramResult> {
    const mark = new EndMark();
    await using session = await this.engine.exec(this.container, {
      command: mark.markEnd(command),
      environment: nonInteractiveEnvironment,
      signal: this.#signal,
    });
    const lastLines: string[] = [];
    const streams = [session.stdout, session.stderr].map((stream) =>
      this.#readLines(stream, lastLines, mark),
    );
    // Only for its errors: it may end long after the program.
    const broken = session.exitCode.then(() => new Promise<never>(() => undefined));
    await Promise.race([Promise.all(streams), broken]);
    return { exitCode: mark.exitCode ?? (await session.exitCode), lastLines };
  }

  /** As run(), but throws `failed` with the program's reason unless it exits with 0. `what` begins the sentence. */
  async runOrThrow(what: string, command: readonly string[]): Promise<void> {
    const { exitCode, lastLines } = await this.run(command);
    if (exitCode !== 0) throw programFailure(what, exitCode, lastLines);
  }

  /** Runs a program and returns its output, at most 256 KiB. The listener does not get it. */
  async capture(command: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    return await this.engine.execCapture(this.container, command, {
      environment: nonInteractiveEnvironment,
      signal: this.#signal,
      maxBytes: 256 * 1024,
    });
  }

  /** Opens a file session, which the caller closes. It ends after 30 seconds. */
  files(): Promise<FileSession> {
    return this.engine.fileSession(this.container, { signal: this.#signal, timeoutMs: FILES_TIMEOUT_MS });
  }

  /** Reads to the end of the stream, or to the mark. */
  async #readLines(stream: Readable, lastLines: string[], mark?: EndMark): Promise<void> {
    const lines = new OutputLines();
    const handle = async (found: readonly string[]) => {
      const output: string[] = [];
      for (const line of found) {
        const status = parseStatusLine(line);
        if (status === "nothing") continue;
        if (status) this.#listener.status(status);
        if (status === undefined) output.push(line);
        if (status?.kind === "error") output.push(`dpkg: ${status.message}`);
      }
      lastLines.push(...output);
      lastLines.splice(0, Math.max(0, lastLines.length - MAX_LAST_LINES));
      await this.#listener.output(output);
    };
    for await (const bytes of stream as AsyncIterable<Buffer>) {
      const found = lines.take(bytes);
      const end = mark ? found.findIndex((line) => mark.isEnd(line)) : -1;
      await handle(end < 0 ? found : found.slice(0, end));
      if (end >= 0) return;
    }
    await handle(lines.end());
  }
}

/** The error of a failed program: its error lines, because later lines only repeat that it failed; else its last lines. */
export function programFailure(what: string, exitCode: number, lastLines: readonly string[]): TremplinError {
  const errors = lastLines.filter((line) => /^(E:|Err:|dpkg: |W: (GPG|Failed))/.test(line));
  const relevant = errors.length > 0 ? errors.slice(0, 3) : lastLines.slice(-3);
  const reason = relevant.map((line) => line.slice(0, 300)).join(" | ");
  return new TremplinError(
    "failed",
    `${what} failed with exit code ${exitCode}${reason === "" ? "" : `: ${reason}`}`,
  );
}
