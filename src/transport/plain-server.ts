import { createServer, type Server, type Socket } from "node:net";
import type { Handler } from "./answer-calls.ts";
import { type Caller, setCaller } from "./caller.ts";
import { type HttpOptions, httpOnSocket } from "./http-on-socket.ts";

export interface PlainOptions extends HttpOptions {
  /** Who has a connection, where the address alone shows it. */
  readonly callerOf?: ((socket: Socket) => Caller) | undefined;
}

/** Serves both versions of HTTP without TLS. */
export function plainServer(handler: Handler, { callerOf, ...options }: PlainOptions = {}): Server {
  const serve = httpOnSocket(handler, options);
  return createServer((socket) => {
    if (callerOf) setCaller(socket, callerOf(socket));
    serve(socket);
  });
}
