import type { Socket } from "node:net";
import { bindRaw, closeRaw, lastError, libc, rawSocket, SOL_SOCKET } from "../../base/native/raw-socket.ts";
import { socketOn, streamHandle } from "../../base/native/stream-handle.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const KOBJECT_UEVENT = 15;
/** The group of the kernel's own messages; the other is udev's. */
const KERNEL = 1;
const SO_RCVBUFFORCE = 33;
/** So much may come before we read on. Bytes. */
const BUFFER = 4 * 1024 * 1024;
const ADDRESS_SIZE = 12;

const setOption = libc.func("int setsockopt(int, int, int, const void*, uint)");

/** A socket from which each read gives one message of the kernel. Ends with an error when some were lost. */
export async function netlinkSocket(): Promise<Socket> {
  const fd = rawSocket(AF_NETLINK, SOCK_RAW, KOBJECT_UEVENT);
  if (fd < 0) throw failed("socket");
  try {
    const size = Buffer.alloc(4);
    size.writeInt32LE(BUFFER);
    // Only root may; with the usual buffer more could be lost, which is noticed.
    setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, size.length);
    const address = Buffer.alloc(ADDRESS_SIZE);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(KERNEL, 8);
    if (!bindRaw(fd, address)) throw failed("bind");
    return socketOn(await streamHandle(fd, "socket"));
  } catch (error) {
    closeRaw(fd);
    throw error;
  }
}

function failed(call: string): TremplinError {
  return new TremplinError(
    "failed",
    `cannot hear of the kernel's devices: ${call} says error ${lastError()}`,
  );
}
