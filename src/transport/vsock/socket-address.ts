/** A place on vsock: the number of a machine (its context id, CID) and a port. */
export interface VsockAddress {
  readonly cid: number;
  readonly port: number;
}

export const AF_VSOCK = 40;
/** `struct sockaddr_vm` of linux/vm_sockets.h, in the order of bytes of the machines that we run on. */
export const ADDRESS_SIZE = 16;

/** The host of this machine, as seen from it (VMADDR_CID_HOST). */
export const HOST_CID = 2;
const ANY_CID = 0xffffffff;
const ANY_PORT = 0xffffffff;

const words = { any: ANY_CID, host: HOST_CID } as const;

/** The number behind the words that an address may have in place of one. */
export function cidOf(cid: number | keyof typeof words): number {
  return typeof cid === "number" ? cid : words[cid];
}

/** In the form of an address option: `vsock:any:8890`. */
export function formatVsock({ cid, port }: VsockAddress): string {
  return `vsock:${cid === ANY_CID ? "any" : cid}:${port}`;
}

/** Port 0 becomes the kernel's own word for any free one (VMADDR_PORT_ANY), so it is never listened on itself. */
export function encodeAddress({ cid, port }: VsockAddress): Buffer {
  const bytes = Buffer.alloc(ADDRESS_SIZE);
  bytes.writeUInt16LE(AF_VSOCK, 0);
  bytes.writeUInt32LE(port === 0 ? ANY_PORT : port, 4);
  bytes.writeUInt32LE(cid, 8);
  return bytes;
}

export function decodeAddress(bytes: Buffer): VsockAddress {
  return { cid: bytes.readUInt32LE(8), port: bytes.readUInt32LE(4) };
}
