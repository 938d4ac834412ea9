import { connect } from "node:net";
import { WebSocket } from "ws";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { CallOptions } from "./call-options.ts";
import { type EngineAddress, tlsOf } from "./engine-address.ts";
import { connectionError } from "./engine-error.ts";
import { REQUEST_TIMEOUT_MS } from "./engine-http.ts";

/** How long a closed socket waits for the engine to close it too. Its timer keeps the process alive. */
const CLOSE_TIMEOUT_MS = 1_000;

export interface WebSocketOptions extends CallOptions {
  /** Whether to answer pings. Default true. */
  readonly autoPong?: boolean;
}

/**
 * Opens a websocket of the engine; `path` includes the query. The socket is paused, so that no message is lost:
 * resume() it once there are listeners. Throws like any request of EngineHttp.
 */
export async function openWebSocket(
  address: EngineAddress,
  path: string,
  { signal, autoPong = true }: WebSocketOptions = {},
): Promise<WebSocket> {
  signal?.throwIfAborted();
  const action = `opening ${path.split("?")[0]}`;
  const common = {
    autoPong,
    perMessageDeflate: false,
    handshakeTimeout: REQUEST_TIMEOUT_MS,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  const socket =
    address.kind === "unix"
      ? new WebSocket(`ws://engine${path}`, { ...common, createConnection: () => connect(address.path) })
      : new WebSocket(`wss://${hostOf(address.host)}:${address.port}${path}`, {
          ...common,
          ...tlsOf(address),
        });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  socket.once("open", () => {
    socket.pause();
    resolve();
  });
  socket.on("error", (error) => reject(connectionError(error, address, action)));
  socket.once("unexpected-response", (_request, answer) => {
    reject(new TremplinError("failed", `the engine refused ${action}: HTTP ${answer.statusCode}`));
  });
  try {
    await promise;
    return socket;
  } catch (error) {
    socket.terminate();
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

function hostOf(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
