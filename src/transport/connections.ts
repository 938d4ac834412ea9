import type { Socket } from "node:net";
import { resetSocket } from "../base/native/reset-socket.ts";
import { callerOn, callerText } from "./caller.ts";
import { networkOf } from "./network-of.ts";
import { Shares } from "./shares.ts";

export interface ConnectionLimits {
  /** The connections of known callers that a server holds at once. Default: 1,536. */
  readonly mostKnown: number;
  /** Those that have not shown yet who they are, also in a TLS handshake. Default: 512. */
  readonly mostUnknown: number;
  /** The time for a TLS handshake, and for a new connection to send the whole header of its first request. Default: 10 s. */
  readonly firstRequestMs: number;
  /** The time for each further one on HTTP/1.1, which includes the time without any. Default: 75 s. */
  readonly nextRequestMs: number;
  /**
   * The time for a caller to take the answer to a request that has not shown who it is; its connection is reset then,
   * because the answer would stay in memory for as long as nobody reads it. Default: 30 s.
   */
  readonly strangersAnswerMs: number;
}

export const connectionLimits: ConnectionLimits = {
  mostKnown: 1_536,
  mostUnknown: 512,
  firstRequestMs: 10_000,
  nextRequestMs: 75_000,
  strangersAnswerMs: 30_000,
};

interface Connection {
  socket: Socket;
  /** Who has it, or, while that is unknown, from which network it comes. */
  owner: string;
  isKnown: boolean;
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
 * many, the newest takes the place of another, of the caller that has the most: so nobody keeps others out. Those that
 * have not shown who they are compete among themselves, by the network that they come from.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #onGaveWay: (owner: string) => void;
  readonly #known = new Shares<Connection>();
  readonly #unknown = new Shares<Connection>();

  /** `onGaveWay`: gets the owner of each connection that was closed for another. */
  constructor(
    limits: ConnectionLimits = connectionLimits,
    onGaveWay: (owner: string) => void = () => undefined,
  ) {
    this.#limits = limits;
    this.#onGaveWay = onGaveWay;
  }

  /** Takes a new connection, or closes it. False: it was closed. */
  add(socket: Socket): boolean {
    if ((socket as Marked)[property]) return true;
    const caller = callerOn(socket);
    const owner = caller ? callerText(caller) : networkOf(socket.remoteAddress);
    const connection = { socket, owner, isKnown: caller !== undefined, requests: 0, timer: undefined };
    (socket as Marked)[property] = connection;
    socket.once("close", () => {
      clearTimeout(connection.timer);
      this.#sharesOf(connection).delete(connection.owner, connection);
    });
    this.#expectRequest(connection, this.#limits.firstRequestMs);
    this.#sharesOf(connection).add(owner, connection);
    this.#makeRoom(connection);
    return !socket.destroyed;
  }

  /** The TLS handshake on a connection is complete, and has shown who calls. */
  secured(raw: Socket, socket: Socket): void {
    const connection = (raw as Marked)[property];
    const caller = callerOn(socket);
    if (!connection || !caller) return;
    connection.socket = socket;
    (socket as Marked)[property] = connection;
    this.#expectRequest(connection, this.#limits.firstRequestMs);
    this.identify(socket, callerText(caller));
  }

  /** The caller has shown who it is. */
  identify(socket: object, owner: string): void {
    const connection = (socket as Marked)[property];
    if (!connection || connection.isKnown) return;
    this.#unknown.delete(connection.owner, connection);
    Object.assign(connection, { owner, isKnown: true });
    this.#known.add(owner, connection);
    this.#known.setBusy(owner, connection, connection.requests > 0);
    this.#makeRoom(connection);
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
    this.#setBusy(connection, true);
    const reset = (): void => {
      if (!connection.isKnown) resetSocket(connection.socket);
    };
    const limit = connection.isKnown ? undefined : setTimeout(reset, this.#limits.strangersAnswerMs).unref();
    return () => {
      clearTimeout(limit);
      if (--connection.requests > 0 || connection.socket.destroyed) return;
      this.#setBusy(connection, false);
      if (!isHttp2) this.#expectRequest(connection, this.#limits.nextRequestMs);
    };
  }

  #setBusy(connection: Connection, isBusy: boolean): void {
    this.#sharesOf(connection).setBusy(connection.owner, connection, isBusy);
  }

  #sharesOf({ isKnown }: Connection): Shares<Connection> {
    return isKnown ? this.#known : this.#unknown;
  }

  #makeRoom(newest: Connection): void {
    const shares = this.#sharesOf(newest);
    if (shares.size <= (newest.isKnown ? this.#limits.mostKnown : this.#limits.mostUnknown)) return;
    const last = shares.toGiveWay(newest.owner, newest);
    // Its place is free at once, also before the socket says that it is closed.
    shares.delete(last.owner, last);
    last.socket.destroy();
    this.#onGaveWay(last.owner);
  }

  #expectRequest(connection: Connection, milliseconds: number): void {
    clearTimeout(connection.timer);
    connection.timer = setTimeout(() => connection.socket.destroy(), milliseconds).unref();
  }
}
