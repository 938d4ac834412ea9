import { Readable } from "node:stream";
import type { WebSocket } from "ws";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { EngineOperation } from "../operations/engine-operation.ts";
import type { OperationRecord } from "../operations/operation-record.ts";
import { outputOf, sendInput } from "./exec-socket.ts";

export interface TerminalSize {
  readonly width: number;
  readonly height: number;
}

/** A command that runs in an instance. Disposing the session kills it. */
export interface ExecSession extends AsyncDisposable {
  /** Must be read, resumed or destroyed: otherwise the command blocks when the buffers are full. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** 127 if the command does not exist, 126 if it cannot be executed, 128+N if signal N killed it. */
  readonly exitCode: Promise<number>;
  /** Sends a signal, by its number. */
  kill(signal: number): void;
  resize(size: TerminalSize): void;
}

const SIGKILL = 9;

export class RunningCommand implements ExecSession {
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly exitCode: Promise<number>;
  readonly #sockets: Readonly<Record<string, WebSocket>>;
  readonly #finished = new AbortController();

  /** `sockets` by their names in the engine's API: 0, 1, 2 and control; in a terminal 0 and control. */
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
    // The operation of a terminal ends only when both of its sockets are closed (docs/engines.md#exec).
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
    if (this.#finished.signal.aborted) return;
    this.#abandon(new TremplinError("cancelled", "the command was abandoned"));
  }

  async #run(
    operation: EngineOperation,
    input: WebSocket,
    stdin: AsyncIterable<Uint8Array> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    try {
      const ended = operation.wait({ signal }).catch(operationThatRan);
      // An error of the input ends the command; the end of the input does not.
      const fed = stdin ? sendInput(input, stdin, this.#finished.signal).then(() => ended) : ended;
      return exitCodeOf(await Promise.race([ended, fed]));
    } catch (error) {
      this.#abandon(error);
      throw error;
    } finally {
      this.#finished.abort();
      this.#close();
    }
  }

  #abandon(error: unknown): void {
    const { control } = this.#sockets;
    // An interrupted control socket also makes the engine kill the command, in case the signal is lost.
    this.#control({ command: "signal", signal: SIGKILL }, () => control?.terminate());
    this.stdout.destroy(error as Error);
    this.stderr.destroy();
    this.#close();
  }

  #control(message: object, sent?: () => void): void {
    const { control } = this.#sockets;
    if (control?.readyState === control?.OPEN) control?.send(JSON.stringify(message), sent);
  }

  /** The sockets of the output stay open until it has been read. */
  #close(): void {
    this.#sockets["0"]?.close();
    this.#sockets.control?.close();
  }
}

/** The operation of a command that was killed or could not be started fails, but has an exit code. */
function operationThatRan(error: unknown): OperationRecord {
  const operation = error instanceof TremplinError ? (error.cause as OperationRecord | undefined) : undefined;
  if (typeof operation?.metadata?.return === "number") return operation;
  throw error;
}

function exitCodeOf(operation: OperationRecord): number {
  const code = operation.metadata?.return;
  if (typeof code === "number") return code;
  throw new TremplinError("failed", "the engine reported no exit code of the command", operation);
}

async function* none(): AsyncGenerator<Uint8Array> {}
