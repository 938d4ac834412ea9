import { BlockList, isIPv4 } from "node:net";
import { runProgram } from "../../../base/processes/run-program.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";

/** The IPv4 address of a bridge with the prefix length of its network: 100.115.92.193/28. */
export interface Subnet {
  readonly address: string;
  readonly prefix: number;
}

/** Parses `A.B.C.D/N`. The address is the bridge's own, so it is neither the first nor the last of its network. Throws `invalid`. */
export function parseSubnet(text: string): Subnet {
  const [address = "", length = ""] = text.split("/");
  const prefix = /^\d{1,2}$/.test(length) ? Number(length) : Number.NaN;
  const host = isIPv4(address) ? toNumber(address) & hostMask(prefix) : 0;
  if (!(prefix >= 8 && prefix <= 30) || host === 0 || host >>> 0 === hostMask(prefix)) {
    throw new TremplinError(
      "invalid",
      `"${text}" is not the address of a bridge with its prefix length (8 to 30), for example 100.115.92.193/28`,
    );
  }
  return { address, prefix };
}

export function formatSubnet({ address, prefix }: Subnet): string {
  return `${address}/${prefix}`;
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  const list = new BlockList();
  const prefix = Math.min(a.prefix, b.prefix);
  list.addSubnet(a.address, prefix, "ipv4");
  return list.check(b.address, "ipv4");
}

/** A subnet that this machine uses already, and its interface. */
export interface UsedSubnet extends Subnet {
  readonly interface: string;
}

/** The IPv4 addresses and routes of this machine, also those of interfaces that are down. */
export async function usedSubnets(): Promise<UsedSubnet[]> {
  const [links, routes] = await Promise.all([ip<Link>("address"), ip<Route>("route")]);
  const addresses = links.flatMap(({ ifname, addr_info = [] }) =>
    addr_info.map(({ local, prefixlen }) => ({ interface: ifname, address: local, prefix: prefixlen })),
  );
  const networks = routes
    .filter(({ dst }) => dst !== "default")
    .map(({ dst, dev = "" }) => {
      const [address = "", prefix = "32"] = dst.split("/");
      return { interface: dev, address, prefix: Number(prefix) };
    });
  return [...addresses, ...networks];
}

interface Link {
  readonly ifname: string;
  readonly addr_info?: readonly { readonly local: string; readonly prefixlen: number }[];
}

interface Route {
  readonly dst: string;
  readonly dev?: string;
}

async function ip<T>(object: string): Promise<T[]> {
  const text = await runProgram("ip", ["-json", "-4", object, "show"]);
  return (JSON.parse(text || "[]") as Partial<T>[]).filter((each): each is T => Object.keys(each).length > 0);
}

/**
 * The first free subnet of 100.115.92.192/28 and the 255 after it: the range that ChromiumOS gives to containers, from
 * the shared address space of RFC 6598. Throws `failed` when none is free.
 */
export function freeSubnet(used: readonly Subnet[]): Subnet {
  for (let block = 0; block < 256; block++) {
    const base = toNumber("100.115.92.192") + block * 16;
    const subnet = { address: toText(base + 1), prefix: 28 };
    if (!used.some((other) => overlaps(subnet, other))) return subnet;
  }
  throw new TremplinError("failed", "no IPv4 subnet is free for the bridge: give one with --lxd-subnet");
}

function hostMask(prefix: number): number {
  return 2 ** (32 - prefix) - 1;
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}
