import { constants } from "node:crypto";
import type { Server, Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import type { LogLimit } from "../base/log-limit.ts";
import type { Logger } from "../base/logger.ts";
import type { Handler } from "./answer-calls.ts";
import { type CertifiedCaller, setCaller } from "./caller.ts";
import { certificateErrorText } from "./certificate-error.ts";
import type { Connections } from "./connections.ts";
import { httpOnSocket } from "./http-on-socket.ts";
import { certifiedCaller, reasonToRefuse, type Tls } from "./tls.ts";

interface Open {
  readonly caller: CertifiedCaller;
  /** Its calls were refused, with the reason, when this was checked last, so that there was nothing to close. */
  isRefused: boolean;
}

interface Logging {
  readonly log: Logger;
  readonly limit: LogLimit;
}

/**
 * Serves both versions of HTTP with mutual TLS. A connection without a certificate of the authority is closed before a
 * byte of it is read, and logged. The calls of a revoked certificate are refused; a connection that is open when its
 * certificate is revoked is closed.
 */
export function secureServer(tls: Tls, handler: Handler, connections: Connections, logging: Logging): Server {
  const { cert, key, ca } = tls;
  const serve = httpOnSocket(handler, { connections });
  const handshakes = new Map<string, Socket>();
  const open = new Map<TLSSocket, Open>();
  const options = {
    ...{ cert, key, ca, requestCert: true, rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"] },
    // A resumed session would not check again whether the certificate has expired.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
  const server = createServer(options, (socket) => {
    socket.on("error", () => socket.destroy());
    const raw = handshakes.get(placeOf(socket));
    const caller = callerOf(socket, tls, logging);
    if (!caller || !raw) return void socket.destroy();
    open.set(socket, { caller, isRefused: reasonToRefuse(caller, tls) !== undefined });
    socket.once("close", () => open.delete(socket));
    setCaller(socket, caller);
    connections.secured(raw, socket);
    serve(socket);
  });
  server.on("connection", (raw) => {
    const place = placeOf(raw);
    handshakes.set(place, raw);
    raw.once("close", () => handshakes.get(place) === raw && handshakes.delete(place));
    connections.add(raw);
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    // The client has gone: it does not believe this server, or only looked whether the port is open.
    if (error.code !== "ECONNRESET") logRefusal(socket, certificateErrorText(error), logging);
  });
  const watching = tls.revoked?.watch(() => closeRevoked(open, tls));
  server.once("close", () => watching?.[Symbol.dispose]());
  return server;
}

/** The connection of a socket: Node shows no other link between that with TLS and the one below it. */
function placeOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function callerOf(socket: TLSSocket, tls: Tls, logging: Logging): CertifiedCaller | undefined {
  const certificate = socket.getPeerCertificate();
  if (!("serialNumber" in certificate)) {
    logRefusal(socket, "it has no certificate", logging);
    return undefined;
  }
  if (!socket.authorized) {
    const code = String(socket.authorizationError);
    logRefusal(socket, certificateErrorText({ code, message: code }), logging);
    return undefined;
  }
  return certifiedCaller(certificate, tls);
}

function closeRevoked(open: ReadonlyMap<TLSSocket, Open>, tls: Tls): void {
  for (const [socket, each] of open) {
    const wasRefused = each.isRefused;
    each.isRefused = reasonToRefuse(each.caller, tls) !== undefined;
    if (each.isRefused && !wasRefused) socket.destroy();
  }
}

function logRefusal({ remoteAddress = "" }: TLSSocket, reason: string, { log, limit }: Logging): void {
  const admitted = limit.admit(`${remoteAddress} ${reason}`);
  if (admitted) log.warn({ address: remoteAddress, reason, ...admitted }, "refused a connection with TLS");
}
