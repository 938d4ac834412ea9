import { createServer, type Server } from "node:net";
import type { Handler } from "./answer-calls.ts";
import { type Caller, setCaller } from "./caller.ts";
import type { Connections } from "./connections.ts";
import { httpOnSocket } from "./http-on-socket.ts";

/** Serves both versions of HTTP without TLS. `caller`: who has each connection, where the address alone shows it. */
export function plainServer(handler: Handler, connections?: Connections, caller?: Caller): Server {
  const serve = httpOnSocket(handler, connections);
  return createServer((socket) => {
    if (caller) setCaller(socket, caller);
    serve(socket);
  });
}
