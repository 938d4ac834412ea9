import type { Logger } from "../../base/logger.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Devices } from "../../engine/profiles.ts";
import type { Site } from "../sites/site.ts";

/**
 * Marks what the site shows in containers as not required, in those that an older version made without: their
 * sources are not there after a boot, and the profile could not be changed (behaviour.md 3.4 step 4).
 */
export async function prepareContainers(
  engine: Engine,
  { site, log, signal }: { site: Site; log: Logger; signal: AbortSignal },
): Promise<void> {
  const keys = new Set(site.bindMounts.map(({ device }) => device));
  for (const { name, devices } of await engine.instances.list({ signal })) {
    if (!Object.entries(devices).some(([key, device]) => keys.has(key) && isRequired(device))) continue;
    log.info({ container: name }, "its files of the site are not required from now on");
    await engine.instances.update(
      name,
      (instance) => ({ ...instance, devices: withoutRequired(instance.devices, keys) }),
      { signal },
    );
  }
}

function withoutRequired(devices: Devices, keys: ReadonlySet<string>): Devices {
  const entries = Object.entries(devices).map(
    ([key, device]) => [key, keys.has(key) ? { ...device, required: "false" } : device] as const,
  );
  return Object.fromEntries(entries);
}

function isRequired({ type, required }: Devices[string]): boolean {
  return type === "disk" && required !== "false";
}
