import type { SessionId } from "./sessions.ts";

interface Connection {
  destroy(): unknown;
  once(event: "close", listener: () => void): unknown;
}

interface Request {
  readonly socket: Connection;
  /** Of HTTP/2. */
  readonly stream?: { readonly session?: Connection | undefined };
}

/** The connections that each session has used, so that none of them goes on when the session has ended. */
export class SessionConnections {
  readonly #all = new Map<SessionId, Set<Connection>>();

  add(id: SessionId, request: Request): void {
    const connection = connectionOf(request);
    const known = this.#all.get(id) ?? new Set();
    if (known.has(connection)) return;
    this.#all.set(id, known.add(connection));
    connection.once("close", () => {
      known.delete(connection);
      if (known.size === 0) this.#all.delete(id);
    });
  }

  /** Cuts all of them off: calls, streams and terminals. Not that of `except`, which is to get an answer first. */
  end(id: SessionId, except?: Request): void {
    const kept = except && connectionOf(except);
    for (const connection of this.#all.get(id) ?? []) if (connection !== kept) connection.destroy();
  }
}

/** The socket of a session of HTTP/2 cannot be closed by itself. */
function connectionOf({ socket, stream }: Request): Connection {
  return stream?.session ?? socket;
}
