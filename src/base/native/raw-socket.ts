import koffi from "koffi";

/** The C library, for sockets of families that Node does not support (docs/decisions/0007-vsock.md). */
export const libc = koffi.load("libc.so.6");

const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;

const libcCalls = {
  socket: libc.func("int socket(int, int, int)"),
  bind: libc.func("int bind(int, const void*, uint)"),
  close: libc.func("int close(int)"),
};

/** The file descriptor of a new non-blocking socket; negative on failure, see lastError. */
export function rawSocket(family: number, type: number, protocol = 0): number {
  return libcCalls.socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

/** Binds a socket to an address. False on failure, see lastError. */
export function bindRaw(fd: number, address: Buffer): boolean {
  return libcCalls.bind(fd, address, address.length) >= 0;
}

export function closeRaw(fd: number): void {
  libcCalls.close(fd);
}

/** The errno of the last failed call. Only valid directly after it. */
export function lastError(): number {
  return koffi.errno();
}
