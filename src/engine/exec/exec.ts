import type { WebSocket } from "ws";
import { apiPath } from "../http/api-path.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import { openWebSocket } from "../http/engine-websocket.ts";
import type { Options } from "../http/options.ts";
import type { EngineOperation } from "../operations/engine-operation.ts";
import type { Operations } from "../operations/operations.ts";
import { type ExecSession, RunningCommand, type TerminalSize } from "./exec-session.ts";

export interface ExecRequest extends Options {
  /** The program and its arguments; no shell is involved. */
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Default 0, root of the container. */
  readonly user?: number;
  readonly group?: number;
  readonly cwd?: string;
  /** Given up (a stream: destroyed) when the command is over. Default: none, the command reads the end at once. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /**
   * Run it in a terminal of this size: then stdout carries all, and stderr nothing. What a command writes just
   * before it ends may be lost: LXD 5.0.2 on a busy machine forgets it, also towards its own client.
   */
  readonly terminal?: TerminalSize;
}

export class Exec {
  readonly #http: EngineHttp;
  readonly #operations: Operations;

  constructor(http: EngineHttp, operations: Operations) {
    this.#http = http;
    this.#operations = operations;
  }

  /** Starts a command in a running instance. When the signal aborts, the command is killed. */
  async start(instance: string, request: ExecRequest): Promise<ExecSession> {
    const { signal, terminal } = request;
    const path = `${apiPath("instances", instance)}/exec`;
    const operation = await this.#operations.start({ method: "POST", path, body: bodyOf(request), signal });
    const names = terminal ? ["0"] : ["0", "1", "2"];
    // The command starts once all but `control` are open, and may be over before anything else is.
    const control = await this.#open(operation, ["control"], signal);
    try {
      const sockets = { ...control, ...(await this.#open(operation, names, signal)) };
      return new RunningCommand(operation, sockets, request.stdin, signal);
    } catch (error) {
      control.control?.terminate();
      throw error;
    }
  }

  async #open(
    operation: EngineOperation,
    names: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Record<string, WebSocket>> {
    const secrets = operation.latest.metadata?.fds as Record<string, string> | undefined;
    const opening = names.map(async (name) => {
      const path = `/1.0/operations/${operation.id}/websocket?secret=${secrets?.[name]}`;
      // The engine does not read where it only writes: a pong left there when it closes the socket makes the
      // kernel throw away what was written last (seen with LXD 5.0.2 on a busy machine).
      const options = { signal, autoPong: false };
      return [name, await openWebSocket(this.#http.address, path, options)] as const;
    });
    const opened = await Promise.allSettled(opening);
    const failed = opened.find((result) => result.status === "rejected");
    const sockets = opened.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    if (!failed) return Object.fromEntries(sockets);
    for (const [, socket] of sockets) socket.terminate();
    throw failed.reason;
  }
}

function bodyOf(request: ExecRequest): object {
  const { command, environment = {}, user = 0, group = 0, cwd = "", terminal } = request;
  const interactive = terminal !== undefined;
  return { command, environment, user, group, cwd, ...terminal, interactive, "wait-for-websocket": true };
}
