import koffi from "koffi";
import { ADDRESS_SIZE, AF_VSOCK, decodeAddress, encodeAddress, type VsockAddress } from "./socket-address.ts";
import { vsockError } from "./vsock-error.ts";

/** Node knows no socket of this family; these are the calls of the C library that it takes to make one. */
const libc = koffi.load("libc.so.6");
const calls = {
  socket: libc.func("int socket(int, int, int)"),
  bind: libc.func("int bind(int, const void*, uint)"),
  connect: libc.func("int connect(int, const void*, uint)"),
  getpeername: libc.func("int getpeername(int, _Out_ uint8_t*, _Inout_ uint*)"),
  getsockopt: libc.func("int getsockopt(int, int, int, _Out_ int*, _Inout_ uint*)"),
  poll: libc.func("int poll(_Inout_ uint8_t*, ulong, int)"),
  close: libc.func("int close(int)"),
};

const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const POLLOUT = 4;

const names = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]));

/** Throws what the last call of this thread failed with. */
function failed(what: string, call: string, number = koffi.errno()): never {
  throw vsockError(what, call, names.get(number) ?? `error ${number}`);
}

/** A new socket that does not block, as a file descriptor. `what` begins the sentence of an error, here and below. */
export function newSocket(what: string): number {
  const fd = calls.socket(AF_VSOCK, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return fd < 0 ? failed(what, "socket") : fd;
}

export function closeSocket(fd: number): void {
  calls.close(fd);
}

export function bindSocket(fd: number, address: VsockAddress, what: string): void {
  if (calls.bind(fd, encodeAddress(address), ADDRESS_SIZE) < 0) failed(what, "bind");
}

/** Whether it is connected already; else it will be, or fail, soon. */
export function beginConnect(fd: number, address: VsockAddress, what: string): boolean {
  if (calls.connect(fd, encodeAddress(address), ADDRESS_SIZE) >= 0) return true;
  const number = koffi.errno();
  return number === koffi.os.errno.EINPROGRESS ? false : failed(what, "connect", number);
}

/** Waits until a socket that connects has an outcome, at most so many milliseconds; false when it has none yet. */
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

/** Throws what connecting ended with, if that is an error. */
export function checkOutcome(fd: number, what: string): void {
  const number = [0];
  if (calls.getsockopt(fd, SOL_SOCKET, SO_ERROR, number, [4]) < 0) failed(what, "getsockopt");
  if (number[0]) failed(what, "connect", number[0]);
}

/** Who is at the other end. */
export function peerOf(fd: number, what: string): VsockAddress {
  const bytes = Buffer.alloc(ADDRESS_SIZE);
  if (calls.getpeername(fd, bytes, [ADDRESS_SIZE]) < 0) failed(what, "getpeername");
  return decodeAddress(bytes);
}
