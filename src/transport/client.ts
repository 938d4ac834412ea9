import { connect as connectSocket, type Socket } from "node:net";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { TremplinError } from "../base/tremplin-error.ts";
import { type Address, formatAddress } from "./address.ts";
import { ReadableSessionManager } from "./session-manager.ts";
import type { Tls } from "./tls.ts";

export interface DialOptions {
  readonly tls?: Tls | undefined;
  readonly interceptors?: Interceptor[];
}

/** A gRPC connection that is opened at the first call and opened again when it was lost. */
export interface Connection extends Disposable {
  readonly address: Address;
  readonly transport: Transport;
}

export function dial(address: Address, options: DialOptions = {}): Connection {
  const tls = address.kind === "unix" ? undefined : options.tls;
  // The authority is only a name: which socket is used, createConnection says.
  const baseUrl = `${tls ? "https" : "http"}://${address.kind === "tcp" ? urlHost(address) : "localhost"}`;
  const sessionManager = new ReadableSessionManager(
    baseUrl,
    // A peer on another machine can vanish without a word: then only a ping finds out.
    { idleConnectionTimeoutMs: 60_000, ...(address.kind === "tcp" && { pingIntervalMs: 20_000 }) },
    tls ? { ...tls } : { createConnection: () => openSocket(address) },
  );
  return {
    address,
    transport: createGrpcTransport({
      baseUrl,
      sessionManager,
      interceptors: options.interceptors ?? [],
    }),
    [Symbol.dispose]: () => sessionManager.abort(new Error("the connection was closed")),
  };
}

function openSocket(address: Address): Socket {
  if (address.kind === "unix") return connectSocket({ path: address.path });
  if (address.kind === "tcp") return connectSocket({ host: address.host, port: address.port });
  throw new TremplinError("invalid", `cannot reach ${formatAddress(address)}: vsock is not supported yet`);
}

function urlHost(address: { host: string; port: number }): string {
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
