import koffi from "koffi";
import { bindRaw, lastError, libc, rawSocket, SOL_SOCKET } from "../../base/native/raw-socket.ts";
import { ADDRESS_SIZE, AF_VSOCK, decodeAddress, encodeAddress, type VsockAddress } from "./socket-address.ts";
import { vsockError } from "./vsock-error.ts";

const calls = {
  connect: libc.func("int connect(int, const void*, uint)"),
  getsockname: libc.func("int getsockname(int, _Out_ uint8_t*, _Inout_ uint*)"),
  getpeername: libc.func("int getpeername(int, _Out_ uint8_t*, _Inout_ uint*)"),
  getsockopt: libc.func("int getsockopt(int, int, int, _Out_ int*, _Inout_ uint*)"),
  poll: libc.func("int poll(_Inout_ uint8_t*, ulong, int)"),
};

const SOCK_STREAM = 1;
const SO_ERROR = 4;
const POLLOUT = 4;

const names = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]));

/** Throws the error of the last call of this thread. */
function failed(what: string, call: string, number = lastError()): never {
  throw vsockError(what, call, names.get(number) ?? `error ${number}`);
}

/** A new non-blocking socket, as a file descriptor. Here and below, error messages begin with `what`. */
export function newSocket(what: string): number {
  const fd = rawSocket(AF_VSOCK, SOCK_STREAM);
  return fd < 0 ? failed(what, "socket") : fd;
}

export function bindSocket(fd: number, address: VsockAddress, what: string): void {
  if (!bindRaw(fd, encodeAddress(address))) failed(what, "bind");
}

/** Whether it is connected already. Otherwise wait for hasOutcome. */
export function beginConnect(fd: number, address: VsockAddress, what: string): boolean {
  if (calls.connect(fd, encodeAddress(address), ADDRESS_SIZE) >= 0) return true;
  const number = lastError();
  return number === koffi.os.errno.EINPROGRESS ? false : failed(what, "connect", number);
}

/** Waits until a connection is made or has failed, at most `limit` milliseconds; false when neither is so yet. */
export async function hasOutcome(fd: number, limit: number): Promise<boolean> {
  const wanted = Buffer.alloc(8);
  wanted.writeInt32LE(fd, 0);
  wanted.writeInt16LE(POLLOUT, 4);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  calls.poll.async(wanted, 1, limit, (error: Error | null, count: number) =>
    error ? reject(error) : resolve(count),
  );
  return (await promise) > 0;
}

/** Throws the error with which connecting ended, if any. */
export function checkOutcome(fd: number, what: string): void {
  const number = [0];
  if (calls.getsockopt(fd, SOL_SOCKET, SO_ERROR, number, [4]) < 0) failed(what, "getsockopt");
  if (number[0]) failed(what, "connect", number[0]);
}

/** The address of the other end. */
export function peerOf(fd: number, what: string): VsockAddress {
  return addressBy("getpeername", fd, what);
}

/** The address that a socket is bound to, with the port that the kernel chose. */
export function ownAddress(fd: number, what: string): VsockAddress {
  return addressBy("getsockname", fd, what);
}

function addressBy(call: "getpeername" | "getsockname", fd: number, what: string): VsockAddress {
  const bytes = Buffer.alloc(ADDRESS_SIZE);
  if (calls[call](fd, bytes, [ADDRESS_SIZE]) < 0) failed(what, call);
  return decodeAddress(bytes);
}
