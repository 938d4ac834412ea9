import { TremplinError } from "../base/tremplin-error.ts";
import { type Address, parseAddress } from "../transport/address.ts";
import type { Tls } from "../transport/tls.ts";
import type { RetentionLimits } from "./store/retention.ts";

export interface GuestAddress {
  readonly name: string;
  readonly address: Address;
}

export interface HostOptions {
  /** A vsock address has only the listener, because only guests connect to it. */
  readonly listen: readonly Address[];
  readonly guests: readonly GuestAddress[];
  /** The folder of the event log. */
  readonly state: string;
  /** How long, and how much of, the events are kept. Default: retentionDefaults. */
  readonly retention?: Partial<RetentionLimits> | undefined;
  /** Required for addresses that are not local; guests need a certificate of the same authority. */
  readonly tls?: Tls | undefined;
  /** trace, debug, info, warn, error or silent. */
  readonly logLevel: string;
}

export const hostDefaults = {
  listen: ["unix:/run/tremplin/host.sock", "unix:/run/tremplin/listener.sock"],
  state: "/var/lib/tremplin/host",
  logLevel: "info",
} as const;

/** Reads `NAME=ADDR`. Throws `invalid` with the form. */
export function parseGuest(text: string): GuestAddress {
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]{0,62})=(.+)$/.exec(text);
  if (!match?.[1] || !match[2]) {
    throw new TremplinError(
      "invalid",
      `"${text}" is not a guest: use NAME=ADDR, for example vm=unix:/run/vm.sock`,
    );
  }
  return { name: match[1], address: parseAddress(match[2]) };
}
