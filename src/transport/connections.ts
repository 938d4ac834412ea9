import type { Socket } from "node:net";

export interface ConnectionLimits {
  /** The connections that a server holds at once. Default: 2,048. */
  readonly most: number;
  /** The time for a new connection to send the whole header of its first request. Default: 10 s. */
  readonly firstRequestMs: number;
  /** The time for each further one on HTTP/1.1, which includes the time without any. Default: 75 s. */
  readonly nextRequestMs: number;
}

export const connectionLimits: ConnectionLimits = {
  most: 2_048,
  firstRequestMs: 10_000,
  nextRequestMs: 75_000,
};

interface Connection {
  readonly socket: Socket;
  /** Requests that are not answered yet. */
  requests: number;
  timer: NodeJS.Timeout | undefined;
}

const property = Symbol("connection");

/** The HTTP/2 session hides the socket behind a proxy, so a WeakMap of sockets would not find it. */
interface Marked {
  [property]?: Connection;
}

/**
 * The connections of a server, bounded in number and in the time that they take to send a request. When there are too
 * many, the one that has been without a request for the longest time is closed; clients connect again by themselves.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  /** Those without a request come in the order in which they became so. */
  readonly #open = new Set<Connection>();

  constructor(limits: ConnectionLimits = connectionLimits) {
    this.#limits = limits;
  }

  /** Takes a new connection, or closes it. False: it was closed. */
  add(socket: Socket): boolean {
    if (this.#open.size >= this.#limits.most && !this.#closeIdle()) {
      socket.destroy();
      return false;
    }
    const connection: Connection = { socket, requests: 0, timer: undefined };
    (socket as Marked)[property] = connection;
    this.#open.add(connection);
    this.#expectRequest(connection, this.#limits.firstRequestMs);
    socket.once("close", () => {
      clearTimeout(connection.timer);
      this.#open.delete(connection);
    });
    return true;
  }

  /** The connection has shown that its peer speaks the protocol, and may wait with its requests. */
  mayWait(socket: object): void {
    clearTimeout((socket as Marked)[property]?.timer);
  }

  /** A request has begun. Returns what to call when it is answered. */
  beginRequest(socket: object, isHttp2: boolean): () => void {
    const connection = (socket as Marked)[property];
    if (!connection) return () => undefined;
    clearTimeout(connection.timer);
    connection.requests++;
    return () => {
      if (--connection.requests > 0 || !this.#open.delete(connection)) return;
      this.#open.add(connection);
      if (!isHttp2) this.#expectRequest(connection, this.#limits.nextRequestMs);
    };
  }

  #expectRequest(connection: Connection, milliseconds: number): void {
    clearTimeout(connection.timer);
    connection.timer = setTimeout(() => connection.socket.destroy(), milliseconds).unref();
  }

  #closeIdle(): boolean {
    for (const connection of this.#open) {
      if (connection.requests > 0) continue;
      this.#open.delete(connection);
      connection.socket.destroy();
      return true;
    }
    return false;
  }
}
