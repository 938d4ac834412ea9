import { lstat } from "node:fs/promises";
import type { Devices } from "../../engine/resources/profiles.ts";

/** A device of an instance or a profile in the engine's form; its key is the path. */
export type DeviceEntry = Devices[string];

/**
 * A device node for containers (docs/contract.md#default-profile). It carries the device numbers, so that the
 * engine does not fail on a node that has vanished since.
 */
export function deviceEntry(
  path: string,
  node: { readonly isBlock: boolean; readonly major: number; readonly minor: number },
): DeviceEntry {
  return {
    type: node.isBlock ? "unix-block" : "unix-char",
    path,
    major: String(node.major),
    minor: String(node.minor),
    mode: "0666",
  };
}

/** The entry of an existing node; undefined if the path is not a device. */
export async function readDeviceEntry(path: string): Promise<DeviceEntry | undefined> {
  const found = await lstat(path, { bigint: true }).catch(() => undefined);
  if (!found?.isCharacterDevice() && !found?.isBlockDevice()) return undefined;
  return deviceEntry(path, { isBlock: found.isBlockDevice(), ...numbersOf(found.rdev) });
}

/** The major and minor numbers that the C library packs into one (gnu_dev_major, gnu_dev_minor). */
export function numbersOf(rdev: bigint): { major: number; minor: number } {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return { major: Number(major), minor: Number(minor) };
}
