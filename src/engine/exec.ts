import type { WebSocket } from "ws";
import { apiPath } from "./api-path.ts";
import type { EngineHttp } from "./engine-http.ts";
import type { EngineOperation } from "./engine-operation.ts";
import { openWebSocket } from "./engine-websocket.ts";
import { type ExecSession, RunningCommand, type TerminalSize } from "./exec-session.ts";
import type { Operations } from "./operations.ts";
import type { Options } from "./options.ts";

export interface ExecRequest extends Options {
  /** The program and its arguments; no shell is involved. */
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Default 0, root of the container. */
  readonly user?: number;
  readonly group?: number;
  readonly cwd?: string;
  /** Default: none, the command reads the end at once. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Run it in a terminal of this size: then stdout carries all, and stderr nothing. */
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
    const names = terminal ? ["0", "control"] : ["0", "1", "2", "control"];
    const sockets = await this.#openAll(operation, names, signal);
    return new RunningCommand(operation, sockets, request.stdin, signal);
  }

  async #openAll(
    operation: EngineOperation,
    names: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Record<string, WebSocket>> {
    const secrets = operation.latest.metadata?.fds as Record<string, string> | undefined;
    const opened = await Promise.allSettled(
      names.map(async (name) => {
        const path = `/1.0/operations/${operation.id}/websocket?secret=${secrets?.[name]}`;
        return [name, await openWebSocket(this.#http.address, path, signal)] as const;
      }),
    );
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
