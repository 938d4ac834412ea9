import { createServer, type Server } from "node:net";
import type { Handler } from "./answer-calls.ts";
import type { Connections } from "./connections.ts";
import { httpOnSocket } from "./http-on-socket.ts";

/** Serves both versions of HTTP without TLS. */
export function plainServer(handler: Handler, connections?: Connections): Server {
  return createServer(httpOnSocket(handler, connections));
}
