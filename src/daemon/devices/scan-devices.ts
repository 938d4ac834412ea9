import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { EngineAddress } from "../../engine/http/engine-address.ts";
import type { Devices } from "../../engine/resources/profiles.ts";
import { type DeviceEntry, readDeviceEntry } from "./device-entry.ts";

/**
 * The character devices below a folder whose relative path matches one of the patterns
 * (docs/contract.md#default-profile), keyed and sorted by path. None for a remote engine: it has other devices.
 */
export async function scanDevices(
  engine: EngineAddress,
  patterns: readonly string[],
  folder = "/dev",
): Promise<Devices> {
  if (engine.kind !== "unix" || patterns.length === 0) return {};
  const wanted = patterns.map((pattern) => new RegExp(pattern));
  const found: [string, DeviceEntry][] = [];
  const nodes = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const node of nodes.filter((each) => each.isCharacterDevice())) {
    const path = join(node.parentPath, node.name);
    if (!wanted.some((pattern) => pattern.test(relative(folder, path)))) continue;
    const entry = await readDeviceEntry(path);
    if (entry) found.push([path, entry]);
  }
  return Object.fromEntries(found.sort(([one], [other]) => (one < other ? -1 : 1)));
}
