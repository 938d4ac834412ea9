import * as http from "node:http";
import * as http2 from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Handler, handleRequests } from "./answer-calls.ts";
import { callLimits } from "./call-budget.ts";
import { widenConnection } from "./connection-window.ts";
import { Connections } from "./connections.ts";

/** The first bytes of every HTTP/2 connection, and of no HTTP/1.1 request. */
const HTTP2_PREFACE = Buffer.from("PRI");
/** Enough for a client that follows all containers of a console; each costs memory. */
const MAX_STREAMS = 256;
/** What a stream may send before anything of it is read: every call counts as much (call-budget.ts). */
const WINDOW_BYTES = callLimits.bytesOfCall;
/** As for HTTP/1.1. */
const MAX_HEADER_BYTES = 16 * 1024;

export interface HttpOptions {
  readonly connections?: Connections;
  /** Gets each request for another protocol, and must end or use its socket. Default: HTTP is all there is. */
  readonly onUpgrade?: (request: http.IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Serves both versions of HTTP on sockets, with TLS or without. Only the first bytes of a connection say which it is. */
export function httpOnSocket(
  handler: Handler,
  { connections = new Connections(), onUpgrade }: HttpOptions = {},
): (socket: Socket) => void {
  const settings = {
    maxConcurrentStreams: MAX_STREAMS,
    initialWindowSize: WINDOW_BYTES,
    maxHeaderListSize: MAX_HEADER_BYTES,
  };
  // How long a connection may be idle is decided by `connections`: Node would close it after 5 s.
  const h1 = http.createServer({ keepAliveTimeout: 0 });
  const h2 = http2.createServer({ settings });
  for (const server of [h1, h2]) {
    handleRequests(server, (request, response) => {
      response.once("close", connections.beginRequest(request.socket, server === h2));
      // What nobody reads after the answer would be kept.
      response.once("finish", () => request.resume());
      handler(request, response);
    });
  }
  if (onUpgrade) {
    h1.on("upgrade", (request, socket, head) => {
      socket.once("close", connections.beginRequest(socket, false));
      onUpgrade(request, socket, head);
    });
  }
  // Its settings are the first thing that a client sends, and it may not have a call yet.
  h2.on("session", (session) => {
    session.once("remoteSettings", () => connections.mayWait(session.socket));
    widenConnection(session);
  });
  return (socket) => {
    // A connection may break at any time; that concerns only its peer.
    socket.on("error", () => socket.destroy());
    // A peer that has ended its side has gone. Without this, vsock sockets and their HTTP/2 sessions would stay.
    socket.allowHalfOpen = false;
    if (!connections.add(socket)) return;
    const begin = (isHttp2: boolean): void => {
      // A client that negotiates no version in TLS may speak HTTP/2 too, which Node would not expect.
      if (isHttp2 && "alpnProtocol" in socket) socket.alpnProtocol = "h2";
      (isHttp2 ? h2 : h1).emit("connection", socket);
    };
    // Such a client may wait for the first bytes of the server.
    if ("alpnProtocol" in socket && socket.alpnProtocol === "h2") begin(true);
    else detectVersion(socket, begin);
  };
}

/** Reads the first bytes, which may come one by one, and puts them back. */
function detectVersion(socket: Socket, begin: (isHttp2: boolean) => void): void {
  let seen = Buffer.alloc(0);
  const close = (): void => void socket.destroy();
  const look = (): void => {
    const chunk: Buffer | null = socket.read();
    if (!chunk) return;
    seen = Buffer.concat([seen, chunk]);
    const start = seen.subarray(0, HTTP2_PREFACE.length);
    const mayBeHttp2 = HTTP2_PREFACE.subarray(0, start.length).equals(start);
    if (mayBeHttp2 && start.length < HTTP2_PREFACE.length) return;
    socket.off("readable", look).off("end", close);
    socket.unshift(seen);
    begin(mayBeHttp2);
  };
  socket.on("readable", look).on("end", close);
}
