import type { Address } from "../transport/address.ts";
import type { MachineSettings } from "./machine-folder.ts";

/** The daemon's port in the machine, on tcp and on vsock (docs/contract.md#addresses). */
export const DAEMON_PORT = 8890;

/** The address of the host in QEMU's user network. */
export const HOST_ADDRESS = "10.0.2.2";

/** The user network's IPv6 addresses, one of which is the host. */
export const HOST_NETWORK_IPV6 = "fec0::/64";

/** The addresses on which host and daemon listen, and those to which they connect. */
export interface MachineAddresses {
  readonly daemonListens: Address;
  readonly daemonFindsHost: Address;
  readonly hostListens: Address;
  readonly hostFindsDaemon: Address;
}

/** Uses vsock if the machine has a context id, otherwise the user network with TLS. */
export function machineAddresses({ ports, cid }: MachineSettings): MachineAddresses {
  const { daemon, listener } = ports;
  if (cid !== undefined) {
    return {
      daemonListens: { kind: "vsock", cid: "any", port: DAEMON_PORT },
      daemonFindsHost: { kind: "vsock", cid: "host", port: listener },
      hostListens: { kind: "vsock", cid: "any", port: listener },
      hostFindsDaemon: { kind: "vsock", cid, port: DAEMON_PORT },
    };
  }
  const host = "127.0.0.1";
  return {
    daemonListens: { kind: "tcp", host: "0.0.0.0", port: DAEMON_PORT },
    daemonFindsHost: { kind: "tcp", host: HOST_ADDRESS, port: listener },
    hostListens: { kind: "tcp", host, port: listener },
    hostFindsDaemon: { kind: "tcp", host, port: daemon },
  };
}
