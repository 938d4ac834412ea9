import type { Devices } from "../../engine/resources/profiles.ts";

/**
 * Marks a container's device that shows a folder of the machine (docs/shares.md). Devices without it were added by a
 * person by other means, and are never touched.
 */
const MARK = ["user.tremplin", "share"] as const;
const SOURCE = "user.tremplin.source";

/** A share as a container's devices have it. */
export interface ShareDevice {
  /** The key of the device. */
  readonly key: string;
  /** Where the engine takes it from: a folder of the daemon's, in which the shared one is mounted. */
  readonly mount: string;
  /** The folder of the machine. */
  readonly source: string;
  /** The path in the container. */
  readonly path: string;
  readonly readOnly: boolean;
}

export function isShare(device: Devices[string]): boolean {
  return device[MARK[0]] === MARK[1];
}

export function sharesOf(devices: Devices): ShareDevice[] {
  return Object.entries(devices)
    .filter(([, device]) => isShare(device))
    .map(([key, { source: mount = "", path = "", [SOURCE]: source = "", readonly }]) => ({
      key,
      mount,
      source,
      path,
      readOnly: readonly === "true",
    }));
}

/** A container starts also while the folder is not there. */
export function deviceOf({ mount, source, path, readOnly }: ShareDevice): Devices[string] {
  const device = {
    type: "disk",
    source: mount,
    path,
    required: "false",
    [MARK[0]]: MARK[1],
    [SOURCE]: source,
  };
  return readOnly ? { ...device, readonly: "true" } : device;
}

/** The devices without those of some keys. */
export function withoutDevices(devices: Devices, keys: ReadonlySet<string>): Devices {
  return Object.fromEntries(Object.entries(devices).filter(([key]) => !keys.has(key)));
}
