import type { Logger } from "../../../base/logger.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { Devices } from "../../../engine/resources/profiles.ts";
import { expandPlaceholders, type Site } from "../../sites/site.ts";

interface Place {
  readonly site: Site;
  /** The values of {state} and {shared}. */
  readonly places: Readonly<Record<string, string>>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Marks the site's bind mounts as not required in containers that an earlier version made without that mark: their
 * sources do not exist after a boot, and the engine refuses to change the profile. A person's device under the same key
 * has another source, and stays as it is.
 */
export async function prepareContainers(engine: Engine, place: Place): Promise<void> {
  const { log, signal } = place;
  for (const { name, devices } of await engine.instances.list({ signal })) {
    const change = markerOf(name, place);
    if (!Object.entries(devices).some(([key, device]) => change(key, device) !== device)) continue;
    log.info({ container: name }, "the site's bind mounts of this container are not required from now on");
    const changeAll = (all: Devices) =>
      Object.fromEntries(Object.entries(all).map(([key, device]) => [key, change(key, device)]));
    await engine.instances.update(
      name,
      (instance) => ({ ...instance, devices: changeAll(instance.devices) }),
      { signal },
    );
  }
}

/** A function that marks a device of the site, and returns any other as it is. */
function markerOf(container: string, { site, places }: Place) {
  const values = { ...places, name: container };
  return (key: string, device: Devices[string]): Devices[string] => {
    const { type, required, source, path } = device;
    if (type !== "disk" || required === "false") return device;
    const isOfSite = site.bindMounts.some(
      (each) =>
        each.device === key && each.path === path && expandPlaceholders(each.source, values) === source,
    );
    return isOfSite ? { ...device, required: "false" } : device;
  };
}
