import type { Engine } from "../../../engine/engine.ts";
import type { DhcpLease } from "../../../engine/resources/networks.ts";
import type { Config } from "../../../engine/resources/pools.ts";
import { boundsOf, subnetIn, toNumber } from "./subnet.ts";

/** The addresses that a bridge has for containers. */
export interface LeaseUse {
  readonly total: number;
  readonly used: number;
  /** The hardware addresses that have one, in lower case. */
  readonly holders: ReadonlySet<string>;
}

/** Undefined for a bridge that gives no IPv4 addresses. Throws when the engine does not answer. */
export async function readLeases(
  engine: Engine,
  bridge: string,
  signal?: AbortSignal,
): Promise<LeaseUse | undefined> {
  const options = signal ? { signal } : {};
  const { value } = await engine.networks.get(bridge, options);
  if (value.type !== "bridge" || !value.managed) return undefined;
  const total = poolSize(value.config);
  return total === undefined ? undefined : leaseUse(total, await engine.networks.leases(bridge, options));
}

export function leaseUse(total: number, leases: readonly DhcpLease[]): LeaseUse {
  // The engine lists the bridge itself too, and IPv6 addresses.
  const given = leases.filter(({ type, address }) => type !== "gateway" && address.includes("."));
  const holders = new Set(given.map(({ hwaddr }) => hwaddr.toLowerCase()));
  return { total, used: new Set(given.map(({ address }) => address)).size, holders };
}

/** How many addresses the DHCP server of a network can give; undefined if it gives none. */
export function poolSize(config: Config): number | undefined {
  const { "ipv4.address": address, "ipv4.dhcp": dhcp, "ipv4.dhcp.ranges": ranges } = config;
  const subnet = subnetIn(address);
  if (!subnet || dhcp === "false") return undefined;
  if (ranges) return ranges.split(",").reduce((sum, range) => sum + rangeSize(range.trim()), 0);
  const [first, last] = boundsOf(subnet);
  // Not the network, its broadcast address and the bridge.
  return last - first + 1 - 3;
}

function rangeSize(range: string): number {
  const [first = "", last = first] = range.split("-");
  return Math.max(0, toNumber(last) - toNumber(first) + 1);
}

/** The sentence for a person; undefined while there are free addresses. */
export function usedUp(
  bridge: string,
  { total, used }: LeaseUse,
): { problem: string; advice: string } | undefined {
  if (used < total) return undefined;
  return {
    problem: `all ${total} IPv4 addresses of ${bridge} are in use, so another container gets none`,
    advice:
      "delete containers that you do not need, or give the bridge a larger subnet: sudo tremplin down; sudo tremplin up --lxd-subnet 10.115.92.1/24 (containers get other addresses)",
  };
}
