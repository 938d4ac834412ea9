import type { Engine } from "../../engine/engine.ts";
import type { Devices } from "../../engine/resources/profiles.ts";
import type { Site } from "../sites/site.ts";
import { scanDevices } from "./scan-devices.ts";

const FOLDER = "/dev/";

/** The devices by which programs listen, as far as the engine's machine, if it is this one, has some and the site lets containers (behaviour.md 2.9). */
export function microphoneDevices({ address }: Engine, { microphone }: Site): Promise<Devices> {
  return scanDevices(address, microphone === undefined ? [] : [microphone]);
}

/** The devices of an instance with these microphones in place of all that it had, also of those that are gone. */
export function withMicrophone(site: Site, devices: Devices, microphone: Devices): Devices {
  const others = Object.entries(devices).filter(([key]) => !isMicrophone(site, key));
  return { ...Object.fromEntries(others), ...microphone };
}

function isMicrophone({ microphone }: Site, key: string): boolean {
  return (
    microphone !== undefined &&
    key.startsWith(FOLDER) &&
    new RegExp(microphone).test(key.slice(FOLDER.length))
  );
}
