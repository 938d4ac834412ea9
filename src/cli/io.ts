import { createInterface } from "node:readline/promises";
import { type Clock, systemClock } from "../base/async/clock.ts";
import { systemErrorText } from "../base/system-error.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { exitCode } from "./exit-code.ts";
import { reflowsLines, StatusLine } from "./progress/status-line.ts";
import { showableIn } from "./text/showable.ts";

/** The parts of the process that a command uses. Tests replace them. */
export interface Io {
  readonly clock: Clock;
  /** Results. */
  out(text: string): void;
  /** Messages and progress. */
  err(text: string): void;
  /** The width of the terminal behind `out`; undefined when it is a file or a pipe. */
  readonly columns: number | undefined;
  /** The line of the terminal behind `err` that may change; undefined for a file, a pipe, or a terminal that cannot. */
  readonly terminal: StatusLine | undefined;
  /** Fires at the first Ctrl-C. Reading this property installs the handler; a second Ctrl-C ends the program. */
  readonly interrupted: AbortSignal;
  /** The answer of the user; undefined without a terminal. */
  ask(question: string): Promise<string | undefined>;
}

/** The real process. */
export function processIo(): Io {
  let interrupted: AbortSignal | undefined;
  const { stdout, stderr, env } = process;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    // The reader of the results may stop early (| head).
    if (error.code === "EPIPE") process.exit(exitCode.done);
    stderr.write(`tremplin: the results cannot be written: ${systemErrorText(error)}\n`);
    process.exit(exitCode.failed);
  });
  // Where no message can be written, the exit code remains.
  stderr.on("error", () => undefined);
  const terminal = openTerminal(stderr, env);
  const print = (stream: NodeJS.WriteStream, text: string): void => {
    const shown = stream.isTTY ? showableIn(env, text) : text;
    const write = () => void stream.write(shown);
    if (terminal && stream.isTTY) terminal.above(shown, write);
    else write();
  };
  return {
    clock: systemClock,
    out: (text) => print(stdout, text),
    err: (text) => print(stderr, text),
    get columns() {
      return stdout.isTTY ? stdout.columns || 80 : undefined;
    },
    terminal,
    get interrupted() {
      interrupted ??= onInterrupt(terminal);
      return interrupted;
    },
    ask: (question) => ask(question, terminal),
  };
}

function openTerminal(stderr: NodeJS.WriteStream, env: NodeJS.ProcessEnv): StatusLine | undefined {
  const obeys = env.TERM !== undefined && env.TERM !== "" && env.TERM !== "dumb";
  if (!stderr.isTTY || !obeys) return undefined;
  return new StatusLine({
    get columns() {
      return stderr.columns || 80;
    },
    get rows() {
      return stderr.rows || 24;
    },
    reflows: reflowsLines(env),
    write: (text) => void stderr.write(showableIn(env, text)),
  });
}

function onInterrupt(terminal: StatusLine | undefined): AbortSignal {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (!controller.signal.aborted) {
      controller.abort(new TremplinError("cancelled", "interrupted"));
      return;
    }
    terminal?.show("");
    process.exit(exitCode.interrupted);
  };
  process.on("SIGINT", onSignal);
  return controller.signal;
}

async function ask(question: string, terminal: StatusLine | undefined): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  terminal?.show("");
  using line = createInterface({ input: process.stdin, output: process.stderr });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  line.once("SIGINT", () => {
    process.stderr.write("\n");
    reject(new TremplinError("cancelled", "interrupted"));
  });
  // Ctrl-D counts as an empty answer.
  line.once("close", () => resolve(""));
  line.question(question).then(resolve, reject);
  return await promise;
}
