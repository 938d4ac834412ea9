import { isDeepStrictEqual } from "node:util";
import { canAccess } from "../../base/can-access.ts";
import type { Logger } from "../../base/logger.ts";
import { sentenceOf } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/if-missing.ts";
import type { Devices, ProfileUpdate } from "../../engine/profiles.ts";
import { scanDevices } from "../devices/scan-devices.ts";
import { expand, type Site } from "../sites/site.ts";
import { POOL } from "./prepare-storage.ts";

const PROFILE = "default";

interface Wanted {
  readonly bridge: string;
  readonly site: Site;
  /** What {state} and {shared} mean. */
  readonly places: Readonly<Record<string, string>>;
  /** The engine is somebody else's: only the devices that no container can do without are added. */
  readonly attached: boolean;
  readonly log: Logger;
}

/** Gives the profile `default` the config and devices of the site (behaviour.md 2.7). */
export async function prepareProfile(engine: Engine, wanted: Wanted, signal: AbortSignal): Promise<void> {
  const essential: Record<string, Devices[string]> = {
    eth0: { type: "nic", nictype: "bridged", parent: wanted.bridge, name: "eth0" },
    root: { type: "disk", path: "/", pool: POOL },
  };
  const { config } = wanted.site.profile;
  const scanned = await scanDevices(engine.address, wanted.site.profile.devicePatterns);
  const devices = { ...scanned, ...(await devicesOf(wanted)), ...essential };
  const found = await engine.profiles.get(PROFILE, { signal }).catch(ifMissing);
  if (!found) {
    await engine.profiles.create({ name: PROFILE, config, devices }, { signal });
    return;
  }
  const change = (profile: ProfileUpdate): ProfileUpdate =>
    wanted.attached
      ? { ...profile, devices: { ...essential, ...profile.devices } }
      : { ...profile, config, devices };
  // Each write reaches into every container, which fails for those that are busy: so none without need.
  if (isDeepStrictEqual(change(found.value), found.value)) return;
  try {
    await engine.profiles.update(PROFILE, change, { signal });
  } catch (error) {
    if (!/profile change still saved/.test(sentenceOf(error))) throw error;
    wanted.log.warn({ error }, "some containers get the changed profile at their next start");
  }
}

/** The devices of the site whose source is on this machine: an engine refuses a profile with one that is not. */
async function devicesOf({ site, places }: Wanted): Promise<Record<string, Devices[string]>> {
  const devices: Record<string, Devices[string]> = {};
  for (const [key, template] of Object.entries(site.profile.devices)) {
    const device = Object.fromEntries(
      Object.entries(template).map(([option, value]) => [option, expand(value, places)]),
    );
    if (!device.source || (await canAccess(device.source))) devices[key] = device;
  }
  return devices;
}
