import type { Engine } from "../../engine/engine.ts";
import type { InstanceUpdate } from "../../engine/resources/instance.ts";
import { OPERATION_MARK } from "./operation-mark.ts";
import { isUsb } from "./usb-mark.ts";

/** What a person can set in a container. Keys of the engine and marks of this program are not part of it. */
type Settings = Pick<InstanceUpdate, "config" | "devices" | "profiles" | "description">;

/** The settings of a container or a snapshot as text: equal texts mean equal settings. */
export function settingsText({ config, devices, profiles, description }: Settings): string {
  const own = Object.entries(config).filter(([key]) => !isEngineKey(key) && key !== OPERATION_MARK);
  const set = Object.entries(devices).filter(([, device]) => !isUsb(device));
  return JSON.stringify({ config: sorted(own), devices: sorted(set), profiles, description });
}

/** Applies settings that `settingsText` wrote. */
export async function applySettings(
  engine: Engine,
  name: string,
  text: string,
  signal?: AbortSignal,
): Promise<void> {
  const settings = JSON.parse(text) as Settings;
  await engine.instances.update(
    name,
    (instance) => ({
      ...instance,
      ...settings,
      devices: {
        ...Object.fromEntries(Object.entries(instance.devices).filter(([, device]) => isUsb(device))),
        ...settings.devices,
      },
      config: {
        ...Object.fromEntries(
          Object.entries(instance.config).filter(([key]) => isEngineKey(key) || key === OPERATION_MARK),
        ),
        ...settings.config,
      },
    }),
    { signal },
  );
}

function isEngineKey(key: string): boolean {
  return key.startsWith("volatile.");
}

function sorted(entries: [string, unknown][]): object {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
