import { isIPv4 } from "node:net";
import { runProgram } from "../../../base/processes/run-program.ts";
import type { UsedSubnet } from "./subnet.ts";

/** What `ip -json address show` prints. */
export interface Link {
  readonly ifname: string;
  readonly addr_info?: readonly {
    readonly local: string;
    /** The other end of a point-to-point link. The prefix length is that of its network. */
    readonly address?: string;
    readonly prefixlen: number;
  }[];
}

/** What `ip -json route show table all` prints. */
export interface Route {
  readonly dst: string;
  /** Default: `unicast`. */
  readonly type?: string;
  readonly dev?: string;
  readonly gateway?: string;
  readonly nexthops?: readonly { readonly dev?: string; readonly gateway?: string }[];
}

/** Routes of these types lead nowhere. */
const EMPTY = ["unreachable", "blackhole", "prohibit", "throw"];
/** Shorter prefixes are default routes: 0.0.0.0/1 and 128.0.0.0/1 are that of a VPN. */
const SHORTEST = 8;

/**
 * The IPv4 addresses, routes and gateways of this machine: also of interfaces that are down, and of all
 * routing tables. Default routes are left out.
 */
export async function usedSubnets(): Promise<UsedSubnet[]> {
  const [links, routes] = await Promise.all([
    ip<Link>(["address", "show"]),
    ip<Route>(["route", "show", "table", "all"]),
  ]);
  return subnetsOf(links, routes);
}

/** The interface of the default route; undefined without one. A VPN's `0.0.0.0/1` comes first. */
export async function defaultRouteInterface(): Promise<string | undefined> {
  const routes = await ip<Route & { readonly metric?: number }>(["route", "show"]);
  const byMetric = routes
    .filter(({ dst }) => dst === "default")
    .sort((a, b) => (a.metric ?? 0) - (b.metric ?? 0));
  const route = routes.find(({ dst }) => dst === "0.0.0.0/1") ?? byMetric[0];
  return route?.dev ?? route?.nexthops?.[0]?.dev;
}

export function subnetsOf(links: readonly Link[], routes: readonly Route[]): UsedSubnet[] {
  const single = (address: string | undefined, holder: string, dev = ""): UsedSubnet[] =>
    address && isIPv4(address) ? [{ address, prefix: 32, holder, interface: dev }] : [];
  const ofLinks = links.flatMap(({ ifname, addr_info = [] }) => {
    const holder = `the interface ${ifname}`;
    return addr_info.flatMap(({ local, address = local, prefixlen }) => [
      { address, prefix: prefixlen, holder, interface: ifname },
      ...single(local, holder, ifname),
    ]);
  });
  const ofRoutes = routes.flatMap((route) => {
    const devices = [route, ...(route.nexthops ?? [])];
    const via = devices.flatMap(({ gateway, dev }) => single(gateway, `the gateway ${gateway}`, dev));
    return [...ofRoute(route), ...via];
  });
  return [...ofLinks, ...ofRoutes];
}

function ofRoute({ dst, type = "unicast", dev = "" }: Route): UsedSubnet[] {
  const isEmpty = EMPTY.includes(type);
  // The others are the machine's own addresses and their broadcasts.
  if (type !== "unicast" && !isEmpty) return [];
  const [address = "", length = "32"] = dst.split("/");
  const prefix = Number(length);
  if (!isIPv4(address) || prefix < SHORTEST) return [];
  const holder = dev ? `the interface ${dev}` : `the route ${dst}`;
  return [{ address, prefix, holder, interface: dev, isEmpty }];
}

async function ip<T>(args: readonly string[]): Promise<T[]> {
  const text = await runProgram("ip", ["-json", "-4", ...args]);
  return (JSON.parse(text || "[]") as Partial<T>[]).filter((each): each is T => Object.keys(each).length > 0);
}
