import { createServer, type Server } from "node:net";
import type { Handler } from "./answer-calls.ts";
import { httpOnSocket } from "./http-on-socket.ts";

/** Serves both versions of HTTP without TLS. */
export function plainServer(handler: Handler): Server {
  return createServer(httpOnSocket(handler));
}
