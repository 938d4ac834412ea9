import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Holdings } from "./holdings.ts";
import type { InstanceRecord } from "./instance-record.ts";
import { instanceResources, jsonBody, Refusal, type Route, work } from "./rest.ts";

/** A command that runs in an instance. */
export interface Command {
  readonly instance: InstanceRecord;
  readonly command: readonly string[];
  /** Aborts when it is killed. */
  readonly killed: AbortSignal;
}

/** The outcome of a command. Default: exit code 0, no output. */
export interface Executed {
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** Runs the commands of a test. */
export type Execute = (command: Command) => Executed | undefined | Promise<Executed | undefined>;

const names = ["0", "1", "2", "control"] as const;
type Sockets = Readonly<Record<(typeof names)[number], WebSocket>>;

const SIGKILLED = 137;

/** Programs in instances, whose outcome a test decides. */
export class MemoryExec {
  /** Default: there is no such program. */
  execute: Execute = () => ({ exitCode: 127, stderr: "no such program" });
  readonly #server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  /** The sockets that are waited for, by their secrets. */
  readonly #awaited = new Map<string, (socket: WebSocket) => void>();

  routes(held: Holdings): Route[] {
    return [
      work("POST", "/1.0/instances/:name/exec", (request) => {
        const instance = held.instance(request.params.name);
        const { command } = jsonBody<{ command: string[] }>(request);
        if (instance.status === "Stopped") throw new Refusal(400, "Instance is not running");
        const { fds, sockets } = this.#sockets();
        return {
          description: "Executing command",
          class: "websocket",
          resources: instanceResources(instance.name),
          metadata: { command, fds },
          run: async (operation) =>
            operation.update({ return: await this.#run(instance, command, await sockets) }),
        };
      }),
    ];
  }

  /** Takes the connection of one stream of a command; false for a secret that nobody waits for. */
  accept(secret: string, request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const awaited = this.#awaited.get(secret);
    if (!awaited) return false;
    this.#awaited.delete(secret);
    this.#server.handleUpgrade(request, socket, head, awaited);
    return true;
  }

  #sockets() {
    const fds = Object.fromEntries(names.map((name) => [name, randomUUID()]));
    const opening = names.map(async (name) => {
      const { promise, resolve } = Promise.withResolvers<WebSocket>();
      this.#awaited.set(fds[name] ?? "", resolve);
      const socket = await promise;
      socket.on("error", () => undefined);
      return [name, socket] as const;
    });
    const sockets = Promise.all(opening).then((all) => Object.fromEntries(all) as Sockets);
    return { fds, sockets };
  }

  async #run(instance: InstanceRecord, command: readonly string[], sockets: Sockets): Promise<number> {
    const killing = new AbortController();
    sockets.control.on("message", (data) => {
      const { signal } = JSON.parse(String(data)) as { signal?: number };
      if (signal === 9) killing.abort();
    });
    sockets.control.once("close", () => killing.abort());
    const killed = new Promise<Executed>((resolve) => {
      killing.signal.addEventListener("abort", () => resolve({ exitCode: SIGKILLED }));
    });
    const running = this.execute({ instance, command, killed: killing.signal });
    const { exitCode = 0, stdout = "", stderr = "" } = (await Promise.race([running, killed])) ?? {};
    for (const [socket, text] of [
      [sockets["1"], stdout],
      [sockets["2"], stderr],
    ] as const) {
      if (text !== "") socket.send(Buffer.from(text));
      // An empty text message is the engine's mark for the end.
      socket.send("");
      socket.close(1000);
    }
    return exitCode;
  }
}
