import type { Server } from "node:net";
import { closeRaw } from "../../base/native/raw-socket.ts";
import { type StreamHandle, socketOn, streamHandle } from "../../base/native/stream-handle.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { setCaller } from "../caller.ts";
import { bindSocket, newSocket, ownAddress, peerOf } from "./libc.ts";
import { formatVsock, type VsockAddress } from "./socket-address.ts";

const BACKLOG = 511;

/**
 * Passes the connections to a vsock address on to a server. `accepts` decides by the context id of the peer, which the
 * kernel guarantees; others are closed before a byte is read. Port 0 means any free port. Throws `failed` if it cannot
 * listen there.
 */
export async function listenOnVsock(
  server: Server,
  address: VsockAddress,
  accepts: (cid: number) => boolean,
): Promise<Disposable & { readonly port: number }> {
  const what = `cannot listen on ${formatVsock(address)}`;
  const handle = await boundHandle(address, what);
  handle.onconnection = (status, client) => {
    if (status !== 0) return;
    const cid = cidOf(client);
    if (cid === undefined || !accepts(cid)) return client.close();
    const socket = socketOn(client);
    setCaller(socket, { kind: "vsock", cid });
    server.emit("connection", socket);
  };
  const code = handle.listen(BACKLOG);
  if (code !== 0) {
    handle.close();
    throw new TremplinError("failed", `${what}: listen failed with error ${-code}`);
  }
  const { port } = ownAddress(handle.fd, what);
  return { port, [Symbol.dispose]: () => handle.close() };
}

async function boundHandle(address: VsockAddress, what: string): Promise<StreamHandle> {
  const fd = newSocket(what);
  try {
    bindSocket(fd, address, what);
    return await streamHandle(fd, "server");
  } catch (error) {
    closeRaw(fd);
    throw error;
  }
}

/** The context id of a caller; undefined if it has gone already. */
function cidOf(client: StreamHandle): number | undefined {
  try {
    return peerOf(client.fd, "cannot read the address of a caller").cid;
  } catch {
    return undefined;
  }
}
