import * as http from "node:http";
import * as http2 from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { type Handler, handleRequests } from "./answer-calls.ts";

/** How a connection of HTTP/2 begins, and no request of HTTP/1. */
const HTTP2_START = Buffer.from("PRI");
/** A connection that has not said so much by then is closed; as long as Node waits for headers. Milliseconds. */
const PATIENCE = 60_000;

/** Serves both versions of HTTP without TLS, where nothing names the protocol but the first bytes of a connection. */
export function plainServer(handler: Handler): Server {
  const h1 = http.createServer();
  const h2 = http2.createServer();
  for (const server of [h1, h2]) handleRequests(server, handler);
  return createServer((socket) => {
    // Whatever happens to a connection is its peer's affair, at any time.
    socket.on("error", () => socket.destroy());
    // A peer that has ended its side has gone. Sockets of vsock would stay, and a session of HTTP/2 on them.
    socket.allowHalfOpen = false;
    whenBegun(socket, (isHttp2) => (isHttp2 ? h2 : h1).emit("connection", socket));
  });
}

/** The first bytes may come one by one. They stay to be read. */
function whenBegun(socket: Socket, begin: (isHttp2: boolean) => void): void {
  let seen = Buffer.alloc(0);
  const close = (): void => void socket.destroy();
  const look = (): void => {
    const chunk: Buffer | null = socket.read();
    if (!chunk) return;
    seen = Buffer.concat([seen, chunk]);
    const start = seen.subarray(0, HTTP2_START.length);
    const mayBeHttp2 = HTTP2_START.subarray(0, start.length).equals(start);
    if (mayBeHttp2 && start.length < HTTP2_START.length) return;
    socket.off("readable", look).off("end", close).off("timeout", close).setTimeout(0);
    socket.unshift(seen);
    begin(mayBeHttp2);
  };
  socket.on("readable", look).on("end", close).on("timeout", close).setTimeout(PATIENCE);
}
