import type { LogTarget } from "../base/logger.ts";
import type { Address } from "../transport/address.ts";
import type { Tls } from "../transport/tls.ts";
import { HOST_CID } from "../transport/vsock/socket-address.ts";

/** What the daemon is told at its start (design: Interface). Texts are checked by whoever needs them. */
export interface DaemonOptions {
  /** Where the guest's services are offered. */
  readonly listen: readonly Address[];
  /** Where the host listens for notices. */
  readonly host: Address;
  /** The folder of the engine, the journal and the outbox. */
  readonly state: string;
  /** The folder below which rootfs, metadata, export and import paths must lie. */
  readonly shared: string;
  /** `generic`, `crostini` or the path of a site file. */
  readonly site: string;
  /** `lxd`, `incus`, `unix:PATH` or `https://HOST:PORT`; unset: whichever is installed, LXD first. */
  readonly engine?: string | undefined;
  /** Paths of PEM files for a remote engine. */
  readonly engineCert?: string | undefined;
  readonly engineKey?: string | undefined;
  readonly engineCa?: string | undefined;
  /** The bridge's own address with its prefix length; unset: a free one. */
  readonly lxdSubnet?: string | undefined;
  readonly bridge: string;
  /** The context ids that are served on a vsock address: the host's, unless told otherwise. */
  readonly vsockPeers: readonly number[];
  /** Needed where listen or host is not local to the machine. */
  readonly tls?: Tls | undefined;
  /** Where the log goes. */
  readonly log: LogTarget;
  /** trace, debug, info, warn, error or silent. */
  readonly logLevel: string;
}

/** What is taken where nothing is said; `shared` is STATE/shared. */
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
