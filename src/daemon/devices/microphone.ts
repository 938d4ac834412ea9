import type { Engine } from "../../engine/engine.ts";
import type { Devices } from "../../engine/resources/profiles.ts";
import type { Site } from "../sites/site.ts";
import { scanDevices } from "./scan-devices.ts";

const FOLDER = "/dev/";

/** The microphone devices of this machine, as far as the site has a pattern for them; none for a remote engine (docs/contract.md#audio-and-usb-devices). */
export function microphoneDevices({ address }: Engine, { microphone }: Site): Promise<Devices> {
  return scanDevices(address, microphone === undefined ? [] : [microphone]);
}

/** The devices of an instance with its microphones replaced by these. */
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
