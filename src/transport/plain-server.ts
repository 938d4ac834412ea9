import { createServer, type Server, type Socket } from "node:net";
import type { Handler } from "./answer-calls.ts";
import { type Caller, setCaller } from "./caller.ts";
import type { Connections } from "./connections.ts";
import { httpOnSocket } from "./http-on-socket.ts";

/** Serves both versions of HTTP without TLS. `callerOf`: who has a connection, where the address alone shows it. */
export function plainServer(
  handler: Handler,
  connections?: Connections,
  callerOf?: (socket: Socket) => Caller,
): Server {
  const serve = httpOnSocket(handler, connections);
  return createServer((socket) => {
    if (callerOf) setCaller(socket, callerOf(socket));
    serve(socket);
  });
}
