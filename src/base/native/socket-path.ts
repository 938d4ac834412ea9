import { libc, SOL_SOCKET } from "./raw-socket.ts";

const AF_UNIX = 1;
const SO_ACCEPTCONN = 30;
/** sizeof(struct sockaddr_un): the family, and 108 bytes for the path. */
const ADDRESS_BYTES = 110;

const calls = {
  getsockname: libc.func("int getsockname(int, _Out_ void*, _Inout_ uint*)"),
  getsockopt: libc.func("int getsockopt(int, int, int, _Out_ int*, _Inout_ uint*)"),
};

/**
 * The path of a Unix socket that listens; undefined for any other descriptor. Asked of the socket itself: /proc/net/unix
 * shows names of any bytes, so that a name with a line break in it can pretend to be another line.
 */
export function listeningUnixPath(fd: number): string | undefined {
  const listens = [0];
  if (calls.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, listens, [4]) < 0 || listens[0] !== 1) return undefined;
  const address = Buffer.alloc(ADDRESS_BYTES);
  const length = [ADDRESS_BYTES];
  if (calls.getsockname(fd, address, length) < 0) return undefined;
  const [family] = new Uint16Array(address.buffer, address.byteOffset, 1);
  const [path = ""] = address.toString("utf8", 2, length[0]).split("\0");
  return family === AF_UNIX && path.startsWith("/") ? path : undefined;
}
