import koffi from "koffi";

/** The C library: sockets of families that Node does not know are made by its calls (decision 7). */
export const libc = koffi.load("libc.so.6");

const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;

const calls = {
  socket: libc.func("int socket(int, int, int)"),
  bind: libc.func("int bind(int, const void*, uint)"),
  close: libc.func("int close(int)"),
};

/** A file descriptor of a new socket that does not block; negative when there is none, see lastError. */
export function rawSocket(family: number, type: number, protocol = 0): number {
  return calls.socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

/** Whether it is bound to the address now; if not, see lastError. */
export function bindRaw(fd: number, address: Buffer): boolean {
  return calls.bind(fd, address, address.length) >= 0;
}

export function closeRaw(fd: number): void {
  calls.close(fd);
}

/** The number of the error of the last call that failed. Must be asked for at once. */
export function lastError(): number {
  return koffi.errno();
}
