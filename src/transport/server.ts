import * as http from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import { createServer } from "node:net";
import { Code, type ConnectRouter, type ContextValues, createContextValues } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { needsLibc } from "../base/needs-libc.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { type Address, formatAddress, isLocal } from "./address.ts";
import { whenClosed } from "./answered.ts";
import { listenOnSocketFile } from "./socket-file.ts";
import type { Tls } from "./tls.ts";
import { cidOf } from "./vsock/socket-address.ts";

/** One message may not be larger; the contract's are far smaller. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

export interface ServeOptions {
  readonly addresses: readonly Address[];
  readonly routes: (router: ConnectRouter) => void;
  /** Needed for anything that is not local to the machine; used on tcp alone. */
  readonly tls?: Tls | undefined;
  /** Whether a caller on vsock is served, by its context id. Without: everyone is. */
  readonly acceptsVsock?: (cid: number) => boolean;
}

/** A running server: where it listens in truth (ports filled in), and its end. */
export interface RpcServer extends AsyncDisposable {
  readonly addresses: readonly Address[];
}

/** Serves gRPC, Connect and JSON over HTTP (1.1 and 2) on each address. */
export async function serve(options: ServeOptions): Promise<RpcServer> {
  const contexts = new WeakMap<object, ContextValues>();
  const adapter = connectNodeAdapter({
    routes: options.routes,
    readMaxBytes: MAX_MESSAGE_BYTES,
    contextValues: (request) => contexts.get(request) ?? createContextValues(),
    fallback: unknownMethod,
  });
  const handler = (
    request: http.IncomingMessage & http2.Http2ServerRequest,
    response: http.ServerResponse & http2.Http2ServerResponse,
  ): void => {
    contexts.set(request, whenClosed(response));
    adapter(request, response);
  };
  const sockets = new Set<Socket>();
  await using servers = new AsyncDisposableStack();
  const addresses: Address[] = [];
  for (const address of options.addresses) {
    const tls = address.kind === "tcp" ? options.tls : undefined;
    const server = tls ? secureServer(tls, handler) : plainServer(handler);
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    servers.defer(() => closed(server, sockets));
    if (address.kind === "vsock") {
      const { listenOnVsock } = await needsLibc(() => import("./vsock/listen-on-vsock.ts"));
      const { acceptsVsock = () => true } = options;
      const place = { cid: cidOf(address.cid), port: address.port };
      const { port } = servers.use(await listenOnVsock(server, place, acceptsVsock));
      addresses.push({ ...address, port });
    } else addresses.push(await listen(server, address, tls !== undefined));
  }
  const running = servers.move();
  return { addresses, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function listen(
  server: NetServer,
  address: Exclude<Address, { kind: "vsock" }>,
  encrypted: boolean,
): Promise<Address> {
  if (address.kind === "unix") {
    await listenOnSocketFile(server, address.path);
    return address;
  }
  if (!isLocal(address) && !encrypted) {
    throw new TremplinError(
      "invalid",
      `will not listen on ${formatAddress(address)} without TLS: use a loopback address, or give --tls-cert, --tls-key and --tls-ca`,
    );
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", (error) =>
    reject(
      new TremplinError("failed", `cannot listen on ${formatAddress(address)}: ${error.message}`, error),
    ),
  );
  server.listen({ host: address.host, port: address.port }, resolve);
  await promise;
  return { ...address, port: (server.address() as AddressInfo).port };
}

type Handler = (
  request: http.IncomingMessage & http2.Http2ServerRequest,
  response: http.ServerResponse & http2.Http2ServerResponse,
) => void;

function secureServer(tls: Tls, handler: Handler): NetServer {
  return http2.createSecureServer(
    { ...tls, allowHTTP1: true, requestCert: true, rejectUnauthorized: true },
    handler as never,
  );
}

/** Without TLS nothing names the protocol, so the first bytes of a connection tell which server gets it. */
function plainServer(handler: Handler): NetServer {
  const h1 = http.createServer(handler as never);
  const h2 = http2.createServer(handler as never);
  return createServer((socket) => {
    socket.once("readable", () => {
      const first: Buffer | null = socket.read();
      if (!first) return;
      socket.unshift(first);
      const server = first.subarray(0, 3).toString("latin1") === "PRI" ? h2 : h1;
      server.emit("connection", socket);
    });
    socket.on("error", () => socket.destroy());
  });
}

async function closed(server: NetServer, sockets: Set<Socket>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  for (const socket of sockets) socket.destroy();
  await promise;
}

/** gRPC clients want their own status for an unknown service, everyone else a 404 (stack.md A4). */
function unknownMethod(request: { headers: http.IncomingHttpHeaders }, response: unknown): void {
  const answer = response as http.ServerResponse;
  if (request.headers["content-type"]?.startsWith("application/grpc")) {
    answer.writeHead(200, {
      "content-type": "application/grpc",
      "grpc-status": String(Code.Unimplemented),
      "grpc-message": "there is no such rpc here",
    });
  } else {
    answer.writeHead(404);
  }
  answer.end();
}
