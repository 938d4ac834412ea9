import type { Config } from "../../../engine/resources/pools.ts";
import type { Devices } from "../../../engine/resources/profiles.ts";
import { POOL } from "./prepare-storage.ts";

export interface EssentialDevices {
  readonly devices: Devices;
  /** The keys of the devices that the profile lacks. */
  readonly lacking: ReadonlySet<string>;
}

/**
 * The network card and the root disk that containers need, each under its key in the profile, or under a free key
 * where the profile lacks it.
 */
export function essentialDevices(found: Devices, bridge: string): EssentialDevices {
  const needs = [
    {
      key: "eth0",
      device: { type: "nic", nictype: "bridged", parent: bridge, name: "eth0" },
      isMet: (key: string, { type, name }: Config) => key === "eth0" || (type === "nic" && name === "eth0"),
    },
    {
      key: "root",
      device: { type: "disk", path: "/", pool: POOL },
      isMet: (_key: string, { type, path }: Config) => type === "disk" && path === "/",
    },
  ];
  const devices: Record<string, Config> = {};
  const lacking = new Set<string>();
  for (const { key, device, isMet } of needs) {
    const holder = Object.entries(found).find(([name, each]) => isMet(name, each))?.[0];
    const name = holder ?? freeKey(key, found);
    devices[name] = device;
    if (holder === undefined) lacking.add(name);
  }
  return { devices, lacking };
}

function freeKey(key: string, taken: Devices): string {
  let free = key;
  for (let count = 0; Object.hasOwn(taken, free); count++) free = `${key}${count}`;
  return free;
}
