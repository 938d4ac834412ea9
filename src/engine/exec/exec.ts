import type { WebSocket } from "ws";
import { apiPath } from "../http/api-path.ts";
import type { CallOptions } from "../http/call-options.ts";
import type { EngineHttp } from "../http/engine-http.ts";
import { openWebSocket } from "../http/engine-websocket.ts";
import type { EngineOperation } from "../operations/engine-operation.ts";
import type { OperationsApi } from "../operations/operations-api.ts";
import { type ExecSession, RunningCommand, type TerminalSize } from "./exec-session.ts";

export interface ExecRequest extends CallOptions {
  /** The program and its arguments. No shell is used. */
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** The user's id in the container. Default 0, root. */
  readonly user?: number;
  readonly group?: number;
  readonly cwd?: string;
  /** Abandoned (a stream: destroyed) when the command ends. Default: empty input. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  /**
   * Runs the command in a terminal of this size; stdout then has all of its output and stderr none. The output just
   * before its end may be lost: LXD 5.0.2 loses it on a busy machine, with its own client too.
   */
  readonly terminal?: TerminalSize;
}

export class Exec {
  readonly #http: EngineHttp;
  readonly #operations: OperationsApi;

  constructor(http: EngineHttp, operations: OperationsApi) {
    this.#http = http;
    this.#operations = operations;
  }

  /** Starts a command in a running instance. It is killed when the signal aborts. */
  async start(instance: string, request: ExecRequest): Promise<ExecSession> {
    const { signal, terminal } = request;
    const path = `${apiPath("instances", instance)}/exec`;
    const operation = await this.#operations.start({ method: "POST", path, body: bodyOf(request), signal });
    const names = terminal ? ["0"] : ["0", "1", "2"];
    // The command starts once all sockets except `control` are open, and may end before `control` is opened.
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
      // The engine does not read the sockets that it only writes to. If an unread pong is there when it closes a
      // socket, the kernel discards the last output (seen with LXD 5.0.2 on a busy machine).
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
