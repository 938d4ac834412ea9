import { connect as connectSocket } from "node:net";
import type { Duplex } from "node:stream";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { loadNative } from "../base/native/load-native.ts";
import type { Address } from "./address.ts";
import { ConnectingStream } from "./connecting-stream.ts";
import { ReadableSessionManager } from "./session-manager.ts";
import type { Tls } from "./tls.ts";
import { type Unanswered, whyUnanswered } from "./unanswered.ts";
import { cidOf } from "./vsock/socket-address.ts";

export interface DialOptions {
  readonly tls?: Tls | undefined;
  readonly interceptors?: Interceptor[];
}

/** A gRPC connection. It is opened by the first call, and reopened after it was lost. */
export interface Connection extends Disposable {
  readonly address: Address;
  readonly transport: Transport;
  /** Why a call of it got no answer; undefined where the peer's service answered with this error. */
  whyUnanswered(thrown: unknown): Unanswered | undefined;
}

export function dial(address: Address, options: DialOptions = {}): Connection {
  const tls = address.kind === "tcp" ? options.tls : undefined;
  // The authority is only a name: createConnection chooses the socket.
  const baseUrl = `${tls ? "https" : "http"}://${address.kind === "tcp" ? urlHost(address) : "localhost"}`;
  const sessionManager = new ReadableSessionManager(
    baseUrl,
    // Only a ping detects that a peer on another machine has vanished.
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
    whyUnanswered: (thrown) =>
      whyUnanswered(thrown, {
        spokeHttp2: sessionManager.spokeHttp2,
        mayNeedTls: !tls && address.kind === "tcp",
      }),
    [Symbol.dispose]: () => sessionManager.abort(new Error("the connection was closed")),
  };
}

function openSocket(address: Address): Duplex {
  if (address.kind === "unix") return connectSocket({ path: address.path });
  if (address.kind === "tcp") return connectSocket({ host: address.host, port: address.port });
  const { cid, port } = address;
  return new ConnectingStream(async (signal) => {
    const { connectVsock } = await loadNative(() => import("./vsock/connect-vsock.ts"));
    return await connectVsock({ cid: cidOf(cid), port }, signal);
  });
}

function urlHost(address: { host: string; port: number }): string {
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}
