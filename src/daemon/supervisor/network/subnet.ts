import { isIPv4 } from "node:net";
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

/** As parseSubnet; undefined for another text, such as `none`. */
export function subnetIn(text: string | undefined): Subnet | undefined {
  try {
    return parseSubnet(text ?? "");
  } catch {
    return undefined;
  }
}

export function formatSubnet({ address, prefix }: Subnet): string {
  return `${address}/${prefix}`;
}

/** The first and the last address of the network, as numbers. */
export function boundsOf({ address, prefix }: Subnet): readonly [first: number, last: number] {
  const size = 2 ** (32 - prefix);
  const first = Math.floor(toNumber(address) / size) * size;
  return [first, first + size - 1];
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  const [[firstA, lastA], [firstB, lastB]] = [boundsOf(a), boundsOf(b)];
  return firstA <= lastB && firstB <= lastA;
}

/** A subnet that this machine uses already. */
export interface UsedSubnet extends Subnet {
  /** Whose it is: "the interface eth0". */
  readonly holder: string;
  /** Empty where a route leads to no interface. */
  readonly interface: string;
  /** An unreachable or blackhole route: nobody has these addresses, and a more specific network in it works. */
  readonly isEmpty?: boolean;
}

/** Whether the kernel, or a part of this machine, would confuse the two. */
function collides(used: UsedSubnet, subnet: Subnet): boolean {
  return overlaps(used, subnet) && !(used.isEmpty && used.prefix < subnet.prefix);
}

/** The private ranges, and where in each the search begins: at addresses that few other networks have. */
const ranges: readonly { readonly range: Subnet; readonly begin: string }[] = [
  // The part that ChromiumOS gives to containers, of the shared address space of RFC 6598.
  { range: { address: "100.64.0.0", prefix: 10 }, begin: "100.115.92.192" },
  { range: { address: "10.0.0.0", prefix: 8 }, begin: "10.115.92.0" },
  { range: { address: "172.16.0.0", prefix: 12 }, begin: "172.29.92.0" },
  { range: { address: "192.168.0.0", prefix: 16 }, begin: "192.168.192.0" },
];

/**
 * Whether a route covers a whole private range: a VPN or a provider's network, in which the smaller network of a bridge
 * works, because the more specific route wins.
 */
function isWide(used: Subnet, bridgePrefix: number): boolean {
  if (used.prefix >= bridgePrefix) return false;
  const [first, last] = boundsOf(used);
  return ranges.some(({ range }) => first <= boundsOf(range)[0] && last >= boundsOf(range)[1]);
}

/** What uses a subnet that a person asked for; undefined if the bridge can have it. */
export function holderOf(subnet: Subnet, used: readonly UsedSubnet[]): UsedSubnet | undefined {
  return used.find((each) => !isWide(each, subnet.prefix) && collides(each, subnet));
}

/**
 * The first free subnet of the private ranges, with the bridge's address in it. Where a network covers all of them, one
 * that only such wide networks cover. Throws `failed` when none is free.
 */
export function freeSubnet(used: readonly UsedSubnet[], prefix: number): Subnet {
  const narrow = used.filter((each) => !isWide(each, prefix));
  const found = search(used, prefix) ?? search(narrow, prefix);
  if (found) return found;
  throw new TremplinError("failed", "no IPv4 subnet is free for the bridge: give one with --lxd-subnet");
}

function search(used: readonly UsedSubnet[], prefix: number): Subnet | undefined {
  const parts = ranges.map(({ range, begin }) => {
    const [[first, last], [middle]] = [boundsOf(range), boundsOf({ address: begin, prefix })];
    return { likely: [middle, last] as const, rest: [first, middle - 1] as const };
  });
  for (const [first, last] of [...parts.map(({ likely }) => likely), ...parts.map(({ rest }) => rest)]) {
    for (let at = first; at + 2 ** (32 - prefix) - 1 <= last; ) {
      const subnet = { address: toText(at + 1), prefix };
      const holder = used.find((each) => collides(each, subnet));
      if (!holder) return subnet;
      at = Math.max(boundsOf(subnet)[1], boundsOf(holder)[1]) + 1;
      at = Math.ceil(at / 2 ** (32 - prefix)) * 2 ** (32 - prefix);
    }
  }
  return undefined;
}

function hostMask(prefix: number): number {
  return 2 ** (32 - prefix) - 1;
}

export function toNumber(address: string): number {
  return address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

export function toText(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}
