import { parseSize, sizeText } from "../../base/size.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { bytesOf } from "../../engine/resources/engine-size.ts";
import type { Instance, InstanceUpdate } from "../../engine/resources/instance.ts";
import type { Devices } from "../../engine/resources/profiles.ts";
import { type Autostart, autostartChoices } from "../sites/autostart.ts";
import { autostartOf, withAutostart } from "./autostart.ts";

/** What a person sets, by the names that people use (docs/daily.md#settings). */
export type SettingName = "cpu" | "memory" | "disk" | "autostart";
export type PersonSettings = Readonly<Partial<Record<SettingName, string>>>;

export const UNLIMITED = "unlimited";
const MIB = 2 ** 20;
const MAX_PROCESSORS = 4096;

type Source = Pick<Instance, "config" | "expanded_config" | "expanded_devices" | "profiles">;

interface Setting {
  /** The value in the engine's words; undefined for no limit. Throws `invalid`. */
  readonly parse: (value: string) => string | undefined;
  /** `autostart`: that of the site. */
  readonly read: (instance: Source, autostart: Autostart) => string;
}

const settings: Readonly<Record<SettingName, Setting>> = {
  cpu: {
    parse(value) {
      if (value === UNLIMITED) return undefined;
      const count = Number(value);
      if (/^\d{1,4}$/.test(value) && count >= 1 && count <= MAX_PROCESSORS) return String(count);
      throw wrongValue("cpu", value, `a number of processors from 1 to ${MAX_PROCESSORS}, or ${UNLIMITED}`);
    },
    read: ({ expanded_config }) => expanded_config["limits.cpu"] || UNLIMITED,
  },
  memory: {
    parse: (value) => sizeSetting("memory", value, 64 * MIB),
    read: ({ expanded_config }) => expanded_config["limits.memory"] || UNLIMITED,
  },
  disk: {
    parse: (value) => sizeSetting("disk", value, 256 * MIB),
    read: ({ expanded_devices }) => rootOf(expanded_devices)?.[1].size || UNLIMITED,
  },
  autostart: {
    parse(value) {
      if (isAutostart(value)) return value;
      throw wrongValue("autostart", value, "on, off, or last: as it was when the engine ended");
    },
    read: autostartOf,
  },
};

export const settingNames = Object.keys(settings) as readonly SettingName[];

/** Checks names and values. Throws `invalid`. */
export function checkSettings(wanted: Readonly<Record<string, string>>): PersonSettings {
  const all = Object.entries(wanted);
  if (all.length === 0) throw new TremplinError("invalid", "there is nothing to set");
  for (const [name, value] of all) {
    const setting = settingNames.find((each) => each === name);
    if (setting === undefined) {
      const known = settingNames.join(", ");
      throw new TremplinError("invalid", `there is no setting ${quoted(name)}: there are ${known}`);
    }
    settings[setting].parse(value);
  }
  return wanted;
}

/** All settings of a container, with those of its profiles. `ofSite`: what the site says of autostart. */
export function readSettings(instance: Source, ofSite: Autostart): Record<SettingName, string> {
  const all = settingNames.map((name) => [name, settings[name].read(instance, ofSite)]);
  return Object.fromEntries(all) as Record<SettingName, string>;
}

/** The container with checked settings. `expanded`: its devices with those of its profiles. */
export function withSettings(
  instance: InstanceUpdate,
  wanted: PersonSettings,
  expanded: Devices,
): InstanceUpdate {
  const { cpu, memory, disk, autostart } = wanted;
  const config = { ...instance.config };
  const set = (key: string, name: SettingName, value: string | undefined): void => {
    if (value === undefined) return;
    const text = settings[name].parse(value);
    if (text === undefined) delete config[key];
    else config[key] = text;
  };
  set("limits.cpu", "cpu", cpu);
  set("limits.memory", "memory", memory);
  const devices = disk === undefined ? instance.devices : withDisk(instance.devices, disk, expanded);
  return { ...instance, config: isAutostart(autostart) ? withAutostart(config, autostart) : config, devices };
}

/** The bytes of a size that was checked; undefined for no limit. */
export function sizeInBytes(name: "memory" | "disk", value: string): number | undefined {
  const text = settings[name].parse(value);
  return text === undefined ? undefined : bytesOf(text);
}

/** The root disk and the name of its device. */
export function rootOf(devices: Devices): [string, Devices[string]] | undefined {
  return Object.entries(devices).find(([, { type, path }]) => type === "disk" && path === "/");
}

/** A device of the container itself takes the place of the profile's as a whole. */
function withDisk(devices: Devices, disk: string, expanded: Devices): Devices {
  const root = rootOf(expanded);
  if (!root) throw new TremplinError("failed", "it has no root disk, whose size could be set");
  const [name, { size: _, ...others }] = root;
  const size = settings.disk.parse(disk);
  return { ...devices, [name]: { ...others, ...(size !== undefined && { size }) } };
}

/** In the engine's words, as short as they can be: what is set is what is shown. */
function sizeSetting(name: SettingName, value: string, least: number): string | undefined {
  if (value === UNLIMITED) return undefined;
  return sizeText(parseSize(value, { what: name, least, others: `, or ${UNLIMITED}` }));
}

function isAutostart(value: string | undefined): value is Autostart {
  return autostartChoices.some((each) => each === value);
}

function wrongValue(name: SettingName, value: string, rule: string): TremplinError {
  return new TremplinError("invalid", `${name} cannot be ${quoted(value)}: it is ${rule}`);
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
