import { relative } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { canAccess } from "../../../base/files/files.ts";
import type { Logger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import type { Config } from "../../../engine/resources/pools.ts";
import type { Devices, ProfileUpdate } from "../../../engine/resources/profiles.ts";
import { scanDevices } from "../../devices/scan-devices.ts";
import { expandPlaceholders, type Site } from "../../sites/site.ts";
import { essentialDevices } from "./essential-devices.ts";
import { type MergedSettings, mergeSettings } from "./merge-settings.ts";
import type { WrittenSettings } from "./written-settings.ts";

export const PROFILE = "default";
const CONFIG_PART = `profile ${PROFILE} config`;
export const DEVICES_PART = `profile ${PROFILE} devices`;
/** The parts of WrittenSettings for the profile. */
export const profileParts = [CONFIG_PART, DEVICES_PART] as const;

interface Wanted {
  readonly bridge: string;
  readonly site: Site;
  /** The values of {state} and {shared}. */
  readonly places: Readonly<Record<string, string>>;
  /** The engine is external: only the devices that every container needs are added. */
  readonly attached: boolean;
  readonly settings: WrittenSettings;
  readonly log: Logger;
}

interface MergedProfile {
  readonly profile: ProfileUpdate;
  readonly config: MergedSettings<string>;
  readonly devices: MergedSettings<Config>;
}

type Merge = (profile: ProfileUpdate) => MergedProfile;

/**
 * Merges the config and devices of the site into the profile `default`, and adds a network card and a root disk
 * where it has none.
 */
export async function prepareProfile(engine: Engine, wanted: Wanted, signal: AbortSignal): Promise<void> {
  const { attached, settings, log } = wanted;
  const found = await engine.profiles.get(PROFILE, { signal }).catch(ifMissing);
  const before: ProfileUpdate = found ? pick(found.value) : { config: {}, description: "", devices: {} };
  const scanned = await scanDevices(engine.address, wanted.site.profile.devicePatterns);
  const merge = mergerOf(wanted, { ...scanned, ...(await devicesOf(wanted)) });
  let merged = merge(before);
  const parts = () => ({ [CONFIG_PART]: merged.config.written, [DEVICES_PART]: merged.devices.written });
  const kept = [...merged.config.kept, ...merged.devices.kept];
  if (kept.length > 0) {
    log.info({ profile: PROFILE, keys: kept }, "settings of a person differ from the site's and stay");
  }
  // Not written without need: each write changes every container, which fails for those that are busy.
  if (!found || !isDeepStrictEqual(merged.profile, before)) {
    if (!attached) await settings.begin(parts());
    if (!found) await engine.profiles.create({ name: PROFILE, ...merged.profile }, { signal });
    else {
      const change: Merge = (profile) => {
        merged = merge(profile);
        return merged;
      };
      if (!(await update(engine, change, wanted, signal))) return;
    }
  }
  if (!attached) await settings.confirm(parts());
}

/** Whether the profile was written. Otherwise it has the essential devices already. */
async function update(
  engine: Engine,
  change: Merge,
  { bridge, log }: Wanted,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await engine.profiles.update(PROFILE, (profile) => change(profile).profile, { signal });
    return true;
  } catch (thrown) {
    const error = TremplinError.from(thrown);
    if (/profile change still saved/.test(error.message)) {
      log.warn({ error }, "some containers get the changed profile at their next start");
      return true;
    }
    // A person's device, for example a disk whose source is missing, can make the engine refuse every change.
    if (error.code !== "failed" && error.code !== "invalid") throw error;
    const { value } = await engine.profiles.get(PROFILE, { signal });
    if (essentialDevices(value.devices, bridge).lacking.size > 0) throw error;
    log.warn({ error }, `the engine refuses to change the profile ${PROFILE}: it stays as it is`);
    return false;
  }
}

function mergerOf({ attached, bridge, site, settings }: Wanted, ofSite: Devices): Merge {
  const config = attached ? {} : site.profile.config;
  const ofConfig = settings.of<string>(CONFIG_PART);
  const ofDevices = settings.of<Config>(DEVICES_PART);
  const isOfOurForm = (key: string, device: Config) => !attached && isScanned(key, device, site);
  return (profile) => {
    const essential = essentialDevices(profile.devices, bridge);
    const needed = Object.entries(essential.devices).filter(
      ([key]) => !attached || essential.lacking.has(key),
    );
    const wanted = { ...(attached ? {} : ofSite), ...Object.fromEntries(needed) };
    const mergedConfig = mergeSettings(profile.config, config, ofConfig);
    const devices = mergeSettings(profile.devices, wanted, ofDevices, {
      forced: essential.lacking,
      isOfOurForm,
    });
    return {
      profile: { ...profile, config: mergedConfig.entries, devices: devices.entries },
      config: mergedConfig,
      devices,
    };
  };
}

/** Whether a device is one that an earlier version, which kept no record, added from /dev. */
function isScanned(key: string, device: Config, { profile }: Site): boolean {
  const { path, mode, type } = device;
  if (key !== path || mode !== "0666" || type !== "unix-char" || Object.keys(device).length !== 5)
    return false;
  const below = relative("/dev", key);
  return profile.devicePatterns.some((pattern) => new RegExp(pattern).test(below));
}

/** The devices of the site whose source exists: an engine refuses a profile with a device whose source is missing. */
async function devicesOf({ site, places }: Wanted): Promise<Record<string, Devices[string]>> {
  const devices: Record<string, Devices[string]> = {};
  for (const [key, template] of Object.entries(site.profile.devices)) {
    const device = Object.fromEntries(
      Object.entries(template).map(([option, value]) => [option, expandPlaceholders(value, places)]),
    );
    if (!device.source || (await canAccess(device.source))) devices[key] = device;
  }
  return devices;
}

function pick({ config, description, devices }: ProfileUpdate): ProfileUpdate {
  return { config, description, devices };
}
