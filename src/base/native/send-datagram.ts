import { closeRaw, lastError, libc, rawSocket } from "./raw-socket.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
/** Where the other side has closed its socket, a signal would end this process. */
const MSG_NOSIGNAL = 0x4000;

const sendto = libc.func("long sendto(int, const void*, ulong, int, const void*, uint)");

/**
 * Sends one datagram to a Unix socket, which Node cannot: to a path, or to an abstract name, written with `@` before it.
 * Returns the errno, 0 for success. Never waits.
 */
export function sendDatagram(address: string, text: string): number {
  const fd = rawSocket(AF_UNIX, SOCK_DGRAM);
  if (fd < 0) return lastError();
  try {
    const bytes = Buffer.from(text);
    const target = encodeUnixAddress(address);
    const sent = sendto(fd, bytes, bytes.length, MSG_NOSIGNAL, target, target.length);
    return sent < 0 ? lastError() : 0;
  } finally {
    closeRaw(fd);
  }
}

/** A sockaddr_un, see unix(7). */
export function encodeUnixAddress(address: string): Buffer {
  const name = address.startsWith("@") ? `\0${address.slice(1)}` : `${address}\0`;
  const family = Buffer.alloc(2);
  new Uint16Array(family.buffer, family.byteOffset, 1)[0] = AF_UNIX;
  return Buffer.concat([family, Buffer.from(name)]);
}
