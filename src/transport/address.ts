import { isIP } from "node:net";
import { TremplinError } from "../base/tremplin-error.ts";
import { isLoopback } from "./loopback.ts";

/** Where a service listens: `unix:/path`, `tcp:HOST:PORT` or `vsock:CID:PORT` (docs/contract.md#addresses). */
export type Address =
  | UnixAddress
  | TcpAddress
  | { readonly kind: "vsock"; readonly cid: number | "any" | "host"; readonly port: number };

export interface UnixAddress {
  readonly kind: "unix";
  readonly path: string;
}

export interface TcpAddress {
  readonly kind: "tcp";
  readonly host: string;
  readonly port: number;
}

/** Parses an address. Port 0 means any free port. Throws `invalid` with the three forms. */
export function parseAddress(text: string): Address {
  const unix = /^unix:(\/[^\0]+)$/.exec(text);
  if (unix?.[1]) return { kind: "unix", path: unix[1] };
  const tcp = /^tcp:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = tcp?.[1] ?? tcp?.[2];
  if (host && isPort(tcp?.[3])) return { kind: "tcp", host, port: Number(tcp?.[3]) };
  const vsock = /^vsock:(\d{1,10}|any|host):(\d{1,10})$/.exec(text);
  if (vsock?.[1] && isUint32(vsock[2])) {
    const cid = vsock[1] === "any" || vsock[1] === "host" ? vsock[1] : Number(vsock[1]);
    return { kind: "vsock", cid, port: Number(vsock[2]) };
  }
  throw new TremplinError(
    "invalid",
    `"${text}" is not an address: write unix:/path, tcp:HOST:PORT or vsock:CID:PORT`,
  );
}

/** The inverse of parseAddress. */
export function formatAddress(address: Address): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  if (address.kind === "vsock") return `vsock:${address.cid}:${address.port}`;
  return `tcp:${isIP(address.host) === 6 ? `[${address.host}]` : address.host}:${address.port}`;
}

/** Whether only programs of this machine can reach the address. Of names only `localhost` counts as this machine. */
export function isLocal(address: Address): boolean {
  if (address.kind === "unix") return true;
  return address.kind === "tcp" && (isLocalhost(address.host) || isLoopback(address.host));
}

/** Whether a host is the name that each machine has for itself. */
export function isLocalhost(host: string): boolean {
  return host.toLowerCase() === "localhost";
}

function isPort(text: string | undefined): boolean {
  return Number(text) <= 65535;
}

function isUint32(text: string | undefined): boolean {
  return Number(text) <= 0xffffffff;
}
