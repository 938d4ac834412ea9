import { createSecureServer } from "node:http2";
import type { AddressInfo, Server as NetServer, Socket } from "node:net";
import type { ConnectRouter } from "@connectrpc/connect";
import { type Logger, silentLogger } from "../base/logger.ts";
import { loadNative } from "../base/native/load-native.ts";
import { systemErrorText } from "../base/system-error.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { type Address, formatAddress, isLocal } from "./address.ts";
import { answerCalls, type Handler, handleRequests } from "./answer-calls.ts";
import { plainServer } from "./plain-server.ts";
import { listenOnSocketFile } from "./socket-file.ts";
import type { Tls } from "./tls.ts";
import { cidOf } from "./vsock/socket-address.ts";

export interface ServeOptions {
  readonly addresses: readonly Address[];
  readonly routes: (router: ConnectRouter) => void;
  /** Required for addresses that other machines can reach; used for tcp only. */
  readonly tls?: Tls | undefined;
  /** Whether to serve a caller on vsock, by its context id. Default: everyone. */
  readonly acceptsVsock?: (cid: number) => boolean;
  /** Gets errors that are not the peer's own. Default: no log. */
  readonly log?: Logger;
}

/** A running server, with its real addresses: port 0 is replaced. */
export interface RpcServer extends AsyncDisposable {
  readonly addresses: readonly Address[];
}

/** Serves gRPC, gRPC-Web, Connect and JSON over HTTP/1.1 and HTTP/2 on each address. */
export async function serve(options: ServeOptions): Promise<RpcServer> {
  const { log = silentLogger } = options;
  const handler = answerCalls(options.routes, log);
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
    servers.defer(() => close(server, sockets));
    if (address.kind === "vsock") {
      const { listenOnVsock } = await loadNative(() => import("./vsock/listen-on-vsock.ts"));
      const { acceptsVsock = () => true } = options;
      const place = { cid: cidOf(address.cid), port: address.port };
      const { port } = servers.use(await listenOnVsock(server, place, acceptsVsock));
      addresses.push({ ...address, port });
    } else addresses.push(await listen(server, address, tls !== undefined));
    // From here on an error means that the machine has no file descriptor or memory left for a connection.
    server.on("error", (error) => log.warn({ error }, "a connection could not be accepted"));
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
      new TremplinError(
        "failed",
        `cannot listen on ${formatAddress(address)}: ${systemErrorText(error)}`,
        error,
      ),
    ),
  );
  server.listen({ host: address.host, port: address.port }, resolve);
  await promise;
  return { ...address, port: (server.address() as AddressInfo).port };
}

function secureServer(tls: Tls, handler: Handler): NetServer {
  const server = createSecureServer({
    ...tls,
    allowHTTP1: true,
    requestCert: true,
    rejectUnauthorized: true,
  });
  handleRequests(server, handler);
  return server;
}

async function close(server: NetServer, sockets: Set<Socket>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  for (const socket of sockets) socket.destroy();
  await promise;
}
