import type { Socket } from "node:net";
import { closeRaw } from "../../base/native/raw-socket.ts";
import { socketOn, streamHandle } from "../../base/native/stream-handle.ts";
import { beginConnect, checkOutcome, hasOutcome, newSocket } from "./libc.ts";
import { formatVsock, type VsockAddress } from "./socket-address.ts";
import { vsockError } from "./vsock-error.ts";

/** The kernel itself gives up after two seconds. */
const CONNECT_TIMEOUT_MS = 5_000;
/** How often the signal is checked: a thread of Node blocks in between. */
const POLL_INTERVAL_MS = 250;

/** Connects. Throws `unavailable` if there is no listener, `failed` if this machine has no vsock. */
export async function connectVsock(address: VsockAddress, signal: AbortSignal): Promise<Socket> {
  const what = `cannot reach ${formatVsock(address)}`;
  const fd = newSocket(what);
  try {
    if (!beginConnect(fd, address, what)) await outcome(fd, what, signal);
    signal.throwIfAborted();
    return socketOn(await streamHandle(fd, "socket"));
  } catch (error) {
    closeRaw(fd);
    throw error;
  }
}

async function outcome(fd: number, what: string, signal: AbortSignal): Promise<void> {
  for (let waited = 0; waited < CONNECT_TIMEOUT_MS; waited += POLL_INTERVAL_MS) {
    if (await hasOutcome(fd, POLL_INTERVAL_MS)) return checkOutcome(fd, what);
    signal.throwIfAborted();
  }
  throw vsockError(what, "connect", "ETIMEDOUT");
}
