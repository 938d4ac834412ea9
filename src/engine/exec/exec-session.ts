import { Readable } from "node:stream";
import type { WebSocket } from "ws";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { EngineOperation } from "../operations/engine-operation.ts";
import type { Operation } from "../operations/operation.ts";
import { outputOf, sendInput } from "./exec-socket.ts";

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** A command that runs in an instance. Disposing it kills the command if it still runs. */
export interface ExecSession extends AsyncDisposable {
  /** Must be read (or resumed, or destroyed): a command whose output nobody reads is held back. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** 127 where there is no such command, 126 where it cannot be run, 128+N where signal N killed it. */
  readonly exitCode: Promise<number>;
  /** Sends a signal by its number. */
  kill(signal: number): void;
  resize(size: TerminalSize): void;
}

const sigkill = 9;

export class RunningCommand implements ExecSession {
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exitCode: Promise<number>;
  readonly #sockets: Readonly<Record<string, WebSocket>>;
  readonly #over = new AbortController();

  /** `sockets` by the names that the engine gives them: 0, 1, 2 and control; in a terminal 0 and control. */
  constructor(
    operation: EngineOperation,
    sockets: Readonly<Record<string, WebSocket>>,
    stdin: AsyncIterable<Uint8Array> | undefined,
    signal: AbortSignal | undefined,
  ) {
    this.#sockets = sockets;
    const { 0: input, 1: output, 2: errors, control } = sockets;
    if (!input) throw new TremplinError("failed", "the engine opened no standard input");
    for (const socket of [input, control]) socket?.resume();
    this.stdout = outputOf(output ?? input);
    this.stderr = errors ? outputOf(errors) : Readable.from([]);
    // A terminal's operation ends only when both of its sockets are closed (engines.md 2.1).
    if (!output) this.stdout.once("close", () => this.#close());
    this.exitCode = this.#run(operation, input, stdin ?? (output ? none() : undefined), signal);
    this.exitCode.catch(() => undefined);
  }

  kill(signal: number): void {
    this.#control({ command: "signal", signal });
  }

  resize({ width, height }: TerminalSize): void {
    this.#control({ command: "window-resize", args: { width: String(width), height: String(height) } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#over.signal.aborted) return;
    this.#abandon(new TremplinError("cancelled", "the command was given up"));
  }

  async #run(
    operation: EngineOperation,
    input: WebSocket,
    stdin: AsyncIterable<Uint8Array> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    try {
      const ended = operation.wait({ signal }).catch(operationThatRan);
      // Input that fails ends the command; input that just ends, or goes on, does not.
      const fed = stdin ? sendInput(input, stdin, this.#over.signal).then(() => ended) : ended;
      return exitCodeOf(await Promise.race([ended, fed]));
    } catch (error) {
      this.#abandon(error);
      throw error;
    } finally {
      this.#over.abort();
      this.#close();
    }
  }

  #abandon(error: unknown): void {
    const { control } = this.#sockets;
    // A control socket that breaks off makes the engine kill the command too, should the signal be lost.
    this.#control({ command: "signal", signal: sigkill }, () => control?.terminate());
    this.stdout.destroy(error as Error);
    this.stderr.destroy();
    this.#close();
  }

  #control(message: object, sent?: () => void): void {
    const { control } = this.#sockets;
    if (control?.readyState === control?.OPEN) control?.send(JSON.stringify(message), sent);
  }

  /** Output that was not read yet keeps its socket until it was. */
  #close(): void {
    this.#sockets["0"]?.close();
    this.#sockets.control?.close();
  }
}

/** The operation of a command that could not be started (or was killed) tells an exit code all the same. */
function operationThatRan(error: unknown): Operation {
  const operation = error instanceof TremplinError ? (error.cause as Operation | undefined) : undefined;
  if (typeof operation?.metadata?.return === "number") return operation;
  throw error;
}

function exitCodeOf(operation: Operation): number {
  const code = operation.metadata?.return;
  if (typeof code === "number") return code;
  throw new TremplinError("failed", "the engine did not tell how the command ended", operation);
}

async function* none(): AsyncGenerator<Uint8Array> {}
