import type { Clock } from "../../base/async/clock.ts";
import { textIfReadable } from "../../base/files/files.ts";
import type { Engine } from "../../engine/engine.ts";
import { readLeases, usedUp } from "../supervisor/network/leases.ts";
import { listeningSockets, serverFault } from "../supervisor/network/name-server.ts";
import { formatSubnet, freeSubnet, holderOf, type Subnet, subnetIn } from "../supervisor/network/subnet.ts";
import { defaultRouteInterface, usedSubnets } from "../supervisor/network/used-subnets.ts";
import { findDrops } from "./firewall/find-drops.ts";
import { findInotifyLimits } from "./inotify.ts";
import type { Problem } from "./problem.ts";

/**
 * What on this machine keeps containers from having a network, or from working, each with the command that helps.
 * Changes nothing. Nothing is found for an engine on another machine. A check that fails finds nothing.
 */
export async function findProblems(
  engine: Engine,
  bridge: string,
  { clock, signal }: { readonly clock: Clock; readonly signal?: AbortSignal },
): Promise<Problem[]> {
  if (engine.address.kind !== "unix") return [];
  const network = await engine.networks.get(bridge, signal ? { signal } : {}).catch(() => undefined);
  const { "ipv4.address": address, "ipv4.dhcp": dhcp } = network?.value.config ?? {};
  const subnet = subnetIn(address);
  const isServed = network?.value.managed === true && dhcp !== "false";
  const checks = [
    ...(isServed && subnet ? [findServerFault(bridge, subnet), findUsedUp(engine, bridge, signal)] : []),
    ...(subnet ? [findOverlap(bridge, subnet), findFirewallDrops(bridge, subnet), findForwardingOff()] : []),
    findInotifyLimits({ clock, signal }),
  ];
  const found = await Promise.all(checks.map((check) => check.catch((): Problem[] => [])));
  signal?.throwIfAborted();
  return found.flat();
}

async function findServerFault(bridge: string, subnet: Subnet): Promise<Problem[]> {
  const fault = serverFault(bridge, subnet, await listeningSockets());
  return fault ? [{ area: "dns", ...fault }] : [];
}

async function findUsedUp(
  engine: Engine,
  bridge: string,
  signal: AbortSignal | undefined,
): Promise<Problem[]> {
  const use = await readLeases(engine, bridge, signal);
  const sentence = use && usedUp(bridge, use);
  return sentence ? [{ area: "addresses", ...sentence }] : [];
}

/** The bridge keeps its subnet when the machine joins a network that has the same addresses. */
async function findOverlap(bridge: string, subnet: Subnet): Promise<Problem[]> {
  const used = (await usedSubnets()).filter((each) => each.interface !== bridge);
  const other = holderOf(subnet, used);
  if (!other) return [];
  const problem = `the subnet ${formatSubnet(subnet)} of ${bridge} overlaps with ${formatSubnet(other)} of ${other.holder}, so containers or this machine reach the wrong network`;
  const free = formatSubnet(freeSubnet(used, subnet.prefix));
  const advice = `sudo tremplin down; sudo tremplin up --lxd-subnet ${free} (containers get other addresses)`;
  return [{ area: "subnet", problem, advice }];
}

async function findFirewallDrops(bridge: string, subnet: Subnet): Promise<Problem[]> {
  return await findDrops({ bridge, subnet, uplink: await defaultRouteInterface() });
}

async function findForwardingOff(): Promise<Problem[]> {
  if ((await textIfReadable("/proc/sys/net/ipv4/ip_forward")).trim() !== "0") return [];
  return [
    {
      area: "forwarding",
      problem: "the kernel forwards no IPv4 packets, so containers reach no other network",
      advice: "sysctl -w net.ipv4.ip_forward=1; echo net.ipv4.ip_forward=1 >> /etc/sysctl.d/60-tremplin.conf",
    },
  ];
}
