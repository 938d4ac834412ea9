import type { Socket } from "node:net";
import { bindRaw, closeRaw, lastError, libc, rawSocket, SOL_SOCKET } from "../../base/native/raw-socket.ts";
import { socketOn, streamHandle } from "../../base/native/stream-handle.ts";
import { TremplinError } from "../../base/tremplin-error.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const KOBJECT_UEVENT = 15;
/** The multicast group of the kernel's own messages; the other one is udev's. */
const KERNEL_GROUP = 1;
const SO_RCVBUFFORCE = 33;
const BUFFER_BYTES = 4 * 1024 * 1024;
const ADDRESS_SIZE = 12;

const setOption = libc.func("int setsockopt(int, int, int, const void*, uint)");

/** Opens a socket from which each read returns one kernel message. Ends with an error when messages were lost. */
export async function netlinkSocket(): Promise<Socket> {
  const fd = rawSocket(AF_NETLINK, SOCK_RAW, KOBJECT_UEVENT);
  if (fd < 0) throw failed("socket");
  try {
    const size = Buffer.alloc(4);
    size.writeInt32LE(BUFFER_BYTES);
    // Needs root. With the default buffer more messages could be lost, which ends the socket.
    setOption(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, size.length);
    const address = Buffer.alloc(ADDRESS_SIZE);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(KERNEL_GROUP, 8);
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
    `cannot receive kernel events of devices: ${call} failed with error ${lastError()}`,
  );
}
