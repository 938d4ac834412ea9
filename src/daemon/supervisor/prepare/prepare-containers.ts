import type { Logger } from "../../../base/logger.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { Devices } from "../../../engine/resources/profiles.ts";
import { expand, type Site } from "../../sites/site.ts";

interface Place {
  readonly site: Site;
  /** What {state} and {shared} mean. */
  readonly places: Readonly<Record<string, string>>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Marks what the site shows in containers as not required, in those that an older version made without: their
 * sources are not there after a boot, and the profile could not be changed. A device of a person's under the same
 * key shows something else, and stays as it is.
 */
export async function prepareContainers(engine: Engine, place: Place): Promise<void> {
  const { log, signal } = place;
  for (const { name, devices } of await engine.instances.list({ signal })) {
    const change = markerOf(name, place);
    if (!Object.entries(devices).some(([key, device]) => change(key, device) !== device)) continue;
    log.info({ container: name }, "its files of the site are not required from now on");
    const changeAll = (all: Devices) =>
      Object.fromEntries(Object.entries(all).map(([key, device]) => [key, change(key, device)]));
    await engine.instances.update(
      name,
      (instance) => ({ ...instance, devices: changeAll(instance.devices) }),
      { signal },
    );
  }
}

/** Marks a device of the site; answers any other as it is. */
function markerOf(container: string, { site, places }: Place) {
  const values = { ...places, name: container };
  return (key: string, device: Devices[string]): Devices[string] => {
    const { type, required, source, path } = device;
    if (type !== "disk" || required === "false") return device;
    const isOfSite = site.bindMounts.some(
      (each) => each.device === key && each.path === path && expand(each.source, values) === source,
    );
    return isOfSite ? { ...device, required: "false" } : device;
  };
}
