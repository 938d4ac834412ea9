import type { Socket } from "node:net";
import { closeRaw } from "../../base/native/raw-socket.ts";
import { socketOn, streamHandle } from "../../base/native/stream-handle.ts";
import { beginConnect, checkOutcome, hasOutcome, newSocket } from "./libc.ts";
import { formatVsock, type VsockAddress } from "./socket-address.ts";
import { vsockError } from "./vsock-error.ts";

/** The kernel itself gives up after two seconds. Milliseconds. */
const LIMIT = 5_000;
/** How often it is looked whether somebody no longer wants it: a thread of Node waits meanwhile. */
const LOOK = 250;

/** Connects. Throws `unavailable` when nobody answers there, `failed` when this machine cannot. */
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
  for (let waited = 0; waited < LIMIT; waited += LOOK) {
    if (await hasOutcome(fd, LOOK)) return checkOutcome(fd, what);
    signal.throwIfAborted();
  }
  throw vsockError(what, "connect", "ETIMEDOUT");
}
