import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Timestamps } from "./timestamps.ts";

/** The stream of events, for all clients that are connected. */
export class MemoryEvents {
  readonly #server = new WebSocketServer({ noServer: true });
  readonly #listeners = new Map<WebSocket, readonly string[]>();
  readonly #times: Timestamps;

  constructor(times: Timestamps) {
    this.#times = times;
  }

  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const types = new URL(request.url ?? "", "http://engine").searchParams.get("type")?.split(",") ?? [];
    this.#server.handleUpgrade(request, socket, head, (listener) => {
      this.#listeners.set(listener, types);
      listener.on("error", () => undefined);
      listener.once("close", () => this.#listeners.delete(listener));
    });
  }

  send(type: "operation" | "lifecycle", metadata: unknown): void {
    const text = JSON.stringify({ type, timestamp: this.#times.next(), metadata });
    for (const [listener, types] of this.#listeners) if (types.includes(type)) listener.send(text);
  }

  /** Something happened to an instance; `source` is its path below /1.0. */
  lifecycle(action: string, source: string, context?: object): void {
    this.send("lifecycle", { action, source: `/1.0/${source}`, ...(context && { context }) });
  }
}
