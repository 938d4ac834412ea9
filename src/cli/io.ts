import { createInterface } from "node:readline/promises";
import { type Clock, systemClock } from "../base/async/clock.ts";
import { systemErrorText } from "../base/system-error.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { exitCode } from "./exit-code.ts";

/** The parts of the process that a command uses. Tests replace them. */
export interface Io {
  readonly clock: Clock;
  /** Results. */
  out(text: string): void;
  /** Messages and progress. */
  err(text: string): void;
  /** The terminal behind `err`; undefined when it is a file or a pipe. */
  readonly terminal: { readonly columns: number } | undefined;
  /** Fires at the first Ctrl-C. Reading this property installs the handler; a second Ctrl-C ends the program. */
  readonly interrupted: AbortSignal;
  /** The answer of the user; undefined without a terminal. */
  ask(question: string): Promise<string | undefined>;
}

/** The real process. */
export function processIo(): Io {
  let interrupted: AbortSignal | undefined;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // The reader of the results may stop early (| head).
    if (error.code === "EPIPE") process.exit(exitCode.done);
    process.stderr.write(`tremplin: the results cannot be written: ${systemErrorText(error)}\n`);
    process.exit(exitCode.failed);
  });
  // Where no message can be written, the exit code remains.
  process.stderr.on("error", () => undefined);
  return {
    clock: systemClock,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    get terminal() {
      return process.stderr.isTTY ? { columns: process.stderr.columns } : undefined;
    },
    get interrupted() {
      interrupted ??= onInterrupt();
      return interrupted;
    },
    ask,
  };
}

function onInterrupt(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort(new TremplinError("cancelled", "interrupted")));
  return controller.signal;
}

async function ask(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
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
