import type { LogTarget } from "../base/logger.ts";
import type { Address } from "../transport/address.ts";
import type { Tls } from "../transport/tls.ts";
import { HOST_CID } from "../transport/vsock/socket-address.ts";

/** The options of the daemon. Each text is checked where it is used (docs/command-line.md). */
export interface DaemonOptions {
  /** Where the daemon serves requests. */
  readonly listen: readonly Address[];
  /** Where the host listens for notices. */
  readonly host: Address;
  /** The folder of the engine and the journal. */
  readonly state: string;
  /** The shared folder: rootfs, metadata, export and import paths must lie below it. */
  readonly shared: string;
  /** `generic`, `crostini` or the path of a site file. */
  readonly site: string;
  /** `lxd`, `incus`, `unix:PATH` or `https://HOST:PORT`; unset: the one that is installed, LXD first. */
  readonly engine?: string | undefined;
  /** Paths of PEM files for a remote engine. */
  readonly engineCert?: string | undefined;
  readonly engineKey?: string | undefined;
  readonly engineCa?: string | undefined;
  /** The bridge's own address with its prefix length; unset: a free one. */
  readonly lxdSubnet?: string | undefined;
  readonly bridge: string;
  /** The context ids of the callers that are served on a vsock address. Default: the host's. */
  readonly vsockPeers: readonly number[];
  /** Required if listen or host is not local to the machine. */
  readonly tls?: Tls | undefined;
  /** What host and daemon present to each other on tcp without TLS. */
  readonly token?: string | undefined;
  /** Where metrics are served, within this machine. Default: nowhere. */
  readonly metrics?: Address | undefined;
  /** Where the log goes. */
  readonly log: LogTarget;
  /** trace, debug, info, warn, error or silent. */
  readonly logLevel: string;
  /** Files that are rotated, also those of other programs. Default: none. */
  readonly rotatedLogs?: readonly string[] | undefined;
}

/** The defaults; that of `shared` is STATE/shared. */
export const daemonDefaults = {
  listen: "unix:/run/tremplin/guest.sock",
  host: "unix:/run/tremplin/listener.sock",
  state: "/var/lib/tremplin",
  site: "generic",
  bridge: "lxdbr0",
  log: "stderr",
  logLevel: "info",
  vsockPeers: [HOST_CID],
} as const;
