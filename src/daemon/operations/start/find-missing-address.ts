import type { Engine } from "../../../engine/engine.ts";
import type { Instance } from "../../../engine/resources/instance.ts";
import { readLeases, usedUp } from "../../supervisor/network/leases.ts";

/**
 * Why a container that starts now will get no IPv4 address: all of its network are in use, and it has none of them yet.
 * Empty if it gets one, or if that cannot be known.
 */
export async function findMissingAddress(
  engine: Engine,
  { expanded_devices, config }: Instance,
  signal: AbortSignal,
): Promise<string> {
  for (const [name, device] of Object.entries(expanded_devices)) {
    const bridge = device.network ?? device.parent;
    if (device.type !== "nic" || !bridge || device["ipv4.address"]) continue;
    const use = await readLeases(engine, bridge, signal).catch(() => undefined);
    const sentence = use && usedUp(bridge, use);
    const own = config[`volatile.${name}.hwaddr`]?.toLowerCase();
    if (sentence && !(own && use.holders.has(own))) {
      return `it has no IPv4 address: ${sentence.problem}; ${sentence.advice}`;
    }
  }
  return "";
}
