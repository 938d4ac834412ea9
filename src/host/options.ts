import { TremplinError } from "../base/tremplin-error.ts";
import { type Address, parseAddress } from "../transport/address.ts";
import type { Tls } from "../transport/tls.ts";

/** A guest by the name that people give it. */
export interface GuestAddress {
  readonly name: string;
  readonly address: Address;
}

/** What the host side is told at its start (design: Interface). */
export interface HostOptions {
  /** Where its services are offered. On a vsock address only guests call, so only the listener is there. */
  readonly listen: readonly Address[];
  readonly guests: readonly GuestAddress[];
  /** The folder of the event log. */
  readonly state: string;
  /** Needed where an address is not local to the machine; guests must show a certificate of it too. */
  readonly tls?: Tls | undefined;
  /** trace, debug, info, warn, error or silent. */
  readonly logLevel: string;
}

/** What is taken where nothing is said. */
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
      `"${text}" names no guest: write NAME=ADDR, for example vm=unix:/run/vm.sock`,
    );
  }
  return { name: match[1], address: parseAddress(match[2]) };
}
