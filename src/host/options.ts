import { TremplinError } from "../base/tremplin-error.ts";
import { type Address, parseAddress, type TcpAddress } from "../transport/address.ts";
import { rolePattern } from "../transport/role.ts";
import type { Tls } from "../transport/tls.ts";
import { checkReachable } from "./new-guest.ts";
import type { RetentionLimits } from "./store/retention.ts";

export interface GuestAddress {
  readonly name: string;
  readonly address: Address;
  /** Shared with that guest, for tcp without TLS: it proves who sends a notice, and who calls the guest. */
  readonly token?: string | undefined;
}

/** Where guests send their notices. */
export interface ListenerAddress {
  readonly address: Address;
  /** The only guest that sends there. Undefined: a certificate, a token or a context id shows which guest sends. */
  readonly guest?: string | undefined;
}

/** The pages for browsers on this machine. */
export interface ConsoleOptions {
  readonly address: TcpAddress;
  /** The folder of its files. */
  readonly files: string;
  /** Whether the host serves without a console where it cannot have one, because nobody asked for this address. */
  readonly isOptional: boolean;
}

export interface HostOptions {
  /** For people and programs: every rpc except the listener's. */
  readonly listen: readonly Address[];
  /** For guests: TremplinListener alone. */
  readonly listeners: readonly ListenerAddress[];
  readonly guests: readonly GuestAddress[];
  /** The folder of the event log. */
  readonly state: string;
  /** How long, and how much of, the events are kept. Default: retentionDefaults. */
  readonly retention?: Partial<RetentionLimits> | undefined;
  /** How many ports of each guest are open on this machine at once; 0: none. Default: 256. */
  readonly maxForwards?: number | undefined;
  /** Used for tcp. Clients and guests need a certificate of the same authority, with their role. */
  readonly tls?: Tls | undefined;
  /** What people and programs must present on tcp without TLS. */
  readonly token?: string | undefined;
  /** Default: no console. */
  readonly console?: ConsoleOptions | undefined;
  /** The name of a group whose members may connect to the Unix sockets of `listen`. Default: nobody else may. */
  readonly socketGroup?: string | undefined;
  /** Of this program. */
  readonly version?: string | undefined;
  /** Where metrics are served, within this machine. Default: nowhere. */
  readonly metrics?: Address | undefined;
  /** trace, debug, info, warn, error or silent. */
  readonly logLevel: string;
  /** Files that are rotated, also those of other programs. Default: none. */
  readonly rotatedLogs?: readonly string[] | undefined;
}

export const hostDefaults = {
  listen: "unix:/run/tremplin/host.sock",
  listener: "unix:/run/tremplin/listener.sock",
  state: "/var/lib/tremplin/host",
  console: "127.0.0.1:7780",
  logLevel: "info",
} as const;

/** Reads `NAME=ADDR`. Throws `invalid` with the form. */
export function parseGuest(text: string): GuestAddress {
  const named = splitName(text);
  if (!named) {
    throw new TremplinError(
      "invalid",
      `"${text}" is not a guest: use NAME=ADDR, for example vm=unix:/run/vm.sock`,
    );
  }
  const address = parseAddress(named.value);
  checkReachable(address);
  return { name: named.name, address };
}

/** Reads `ADDR` or `NAME=ADDR`. */
export function parseListener(text: string): ListenerAddress {
  const named = splitName(text);
  return named ? { guest: named.name, address: parseAddress(named.value) } : { address: parseAddress(text) };
}

/** Splits `NAME=VALUE`; undefined for any other text. */
export function splitName(text: string): { name: string; value: string } | undefined {
  const [, name = "", value = ""] = /^([^=]*)=(.+)$/.exec(text) ?? [];
  return rolePattern.test(name) ? { name, value } : undefined;
}
