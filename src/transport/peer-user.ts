import type { Socket } from "node:net";
import { libc, SOL_SOCKET } from "../base/native/raw-socket.ts";

const calls = { getsockopt: libc.func("int getsockopt(int, int, int, _Out_ uint8_t*, _Inout_ uint*)") };
const SO_PEERCRED = 17;
/** `struct ucred`: the ids of process, user and group. */
const CREDENTIALS_BYTES = 12;

/** The user who connected to a Unix socket, as the kernel knows it. Undefined if it cannot be known. */
export function peerUser(socket: Socket): number | undefined {
  const fd = (socket as { _handle?: { fd?: number } | null })._handle?.fd ?? -1;
  const credentials = Buffer.alloc(CREDENTIALS_BYTES);
  if (fd < 0 || calls.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, [CREDENTIALS_BYTES]) < 0)
    return undefined;
  return credentials.readUInt32LE(4);
}
