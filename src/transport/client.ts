import { once } from "node:events";
import { connect as connectSocket, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { loadNative } from "../base/native/load-native.ts";
import { TremplinError } from "../base/tremplin-error.ts";
import { type Address, formatAddress, isLocal, type TcpAddress } from "./address.ts";
import { closedAfterHandshake, connectTls } from "./connect-tls.ts";
import { ConnectingStream } from "./connecting-stream.ts";
import { followCalls } from "./follow-calls.ts";
import { lookupLoopback } from "./loopback.ts";
import type { Role } from "./role.ts";
import { ReadableSessionManager } from "./session-manager.ts";
import type { Tls } from "./tls.ts";
import { presentToken } from "./token.ts";
import { type Unanswered, whyUnanswered } from "./unanswered.ts";
import { cidOf } from "./vsock/socket-address.ts";

export interface DialOptions {
  /** Used for tcp only. */
  readonly tls?: Tls | undefined;
  /** Presented on tcp without TLS. */
  readonly token?: string | undefined;
  /** Whose certificate must be there, if it has a role. */
  readonly peer?: Role;
  readonly interceptors?: Interceptor[];
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** What a stream may have sent that its call has not read: as much arrives in each round trip at most. Bytes. */
const WINDOW_BYTES = 256 * KIB;

/** The largest message that is read. A guest is trusted with nothing, and the largest of its own are logs of 2 MiB. */
const readMaxBytes = { guest: 4 * MIB, other: 64 * MIB } as const;

/** A gRPC connection. It is opened by the first call, and reopened after it was lost. */
export interface Connection extends Disposable {
  readonly address: Address;
  readonly transport: Transport;
  /** Why a call of it got no answer; undefined where the peer's service answered with this error. */
  whyUnanswered(thrown: unknown): Unanswered | undefined;
  /**
   * Another connection to the same peer, for data: it makes the calls of this one not wait. `windowBytes`: what each of
   * its streams may have sent that its call has not read.
   */
  another(windowBytes?: number): Connection;
}

/** Throws `invalid` for another machine without TLS. */
export function dial(
  address: Address,
  options: DialOptions = {},
  windowBytes: number = WINDOW_BYTES,
): Connection {
  const { token } = options;
  const interceptors = [followCalls("client"), ...(options.interceptors ?? [])];
  const tls = address.kind === "tcp" ? options.tls : undefined;
  const isClear = address.kind === "tcp" && !tls;
  if (isClear && !isLocal(address)) {
    throw new TremplinError(
      "invalid",
      `will not connect to ${formatAddress(address)} without TLS: others on the way could read and change everything; give --tls-cert, --tls-key and --tls-ca`,
    );
  }
  // The authority is only a name: createConnection chooses the socket.
  const baseUrl = `${tls ? "https" : "http"}://localhost`;
  const sessionManager = new ReadableSessionManager(
    baseUrl,
    // Only a ping detects that a peer on another machine has vanished.
    { idleConnectionTimeoutMs: 60_000, ...(address.kind === "tcp" && { pingIntervalMs: 20_000 }) },
    {
      createConnection: () => openSocket(address, tls, options.peer),
      settings: { initialWindowSize: windowBytes },
    },
  );
  return {
    address,
    transport: createGrpcTransport({
      baseUrl,
      sessionManager,
      readMaxBytes: options.peer?.kind === "guest" ? readMaxBytes.guest : readMaxBytes.other,
      // A few bytes can unpack to any number.
      acceptCompression: [],
      interceptors: isClear && token !== undefined ? [...interceptors, presentToken(token)] : interceptors,
    }),
    whyUnanswered: (thrown) =>
      whyUnanswered(thrown, {
        spokeHttp2: sessionManager.spokeHttp2,
        mayNeedTls: !tls && address.kind === "tcp",
      }),
    another: (bytes) => dial(address, options, bytes),
    [Symbol.dispose]: () => sessionManager.abort(new Error("the connection was closed")),
  };
}

function openSocket(address: Address, tls: Tls | undefined, peer: Role | undefined): Duplex {
  if (address.kind === "unix") return connectSocket({ path: address.path });
  if (address.kind === "tcp") {
    return new ConnectingStream(
      (signal) => (tls ? connectTls(address, tls, peer, signal) : connectClear(address, signal)),
      () => (tls ? closedAfterHandshake(address) : closedWithoutTls(address)),
    );
  }
  const { cid, port } = address;
  return new ConnectingStream(async (signal) => {
    const { connectVsock } = await loadNative(() => import("./vsock/connect-vsock.ts"));
    return await connectVsock({ cid: cidOf(cid), port }, signal);
  });
}

/** To this machine only, also where `localhost` is another one. */
async function connectClear({ host, port }: TcpAddress, signal: AbortSignal): Promise<Socket> {
  const socket = connectSocket({ host, port, lookup: lookupLoopback });
  try {
    await once(socket, "connect", { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function closedWithoutTls(address: Address): TremplinError {
  return new TremplinError(
    "unavailable",
    `${formatAddress(address)} closed the connection at once: if it expects TLS, give --tls-cert, --tls-key and --tls-ca`,
  );
}
