import * as z from "zod";
import type { Engine } from "../../engine/engine.ts";
import type { InstanceUpdate } from "../../engine/resources/instance.ts";
import { OPERATION_MARK } from "./operation-mark.ts";
import { isUsb } from "./usb-mark.ts";

/** What a person can set in a container. Keys of the engine and marks of this program are not part of it. */
export const settingsSchema = z.object({
  config: z.record(z.string(), z.string()),
  devices: z.record(z.string(), z.record(z.string(), z.string())),
  profiles: z.array(z.string()),
  description: z.string(),
});
type Settings = z.infer<typeof settingsSchema>;
type Source = Pick<InstanceUpdate, keyof Settings>;

/** The settings of a container or a snapshot. */
export function settingsOf({ config, devices, profiles, description }: Source): Settings {
  const own = Object.entries(config).filter(([key]) => !isEngineKey(key) && key !== OPERATION_MARK);
  const set = Object.entries(devices).filter(([, device]) => !isUsb(device));
  return { config: sorted(own), devices: sorted(set), profiles: [...profiles], description };
}

/** The same as text: equal texts mean equal settings. */
export function settingsText(source: Source): string {
  return JSON.stringify(settingsOf(source));
}

export async function applySettings(
  engine: Engine,
  name: string,
  settings: Settings,
  signal?: AbortSignal,
): Promise<void> {
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

function sorted<T>(entries: [string, T][]): Record<string, T> {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
