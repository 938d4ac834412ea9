import { readdir, readlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { textIfReadable } from "../../base/files/files.ts";
import type { Devices } from "../../engine/resources/profiles.ts";
import { type DeviceEntry, deviceEntry } from "./device-entry.ts";

/**
 * The subsystems whose nodes containers get (docs/contract.md#audio-and-usb-devices). Without `hidraw` a security key is
 * of no use. Not `input`: the machine's own desktop still takes what is typed, so a container must not read along.
 */
const SUBSYSTEMS = new Set(["usb", "tty", "block", "hidraw"]);

/**
 * The device nodes of everything plugged into the port with this folder below sysfs, directly or through hubs, keyed by
 * path. An empty port has none; a device that is being removed has those that are left.
 */
export async function usbNodes(folder: string, sys = "/sys"): Promise<Devices> {
  const found = await nodesBelow(join(sys, folder));
  return Object.fromEntries(found.sort(([one], [other]) => (one < other ? -1 : 1)));
}

async function nodesBelow(folder: string): Promise<[string, DeviceEntry][]> {
  // A device removed meanwhile has no nodes any more.
  const children = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const own = children.some(({ name }) => name === "uevent") ? await nodeOf(folder) : undefined;
  const folders = children.filter((child) => child.isDirectory());
  const below = await Promise.all(folders.map(({ name }) => nodesBelow(join(folder, name))));
  return [...(own ? [own] : []), ...below.flat()];
}

async function nodeOf(folder: string): Promise<[string, DeviceEntry] | undefined> {
  const subsystem = basename(await readlink(join(folder, "subsystem")).catch(() => ""));
  if (!SUBSYSTEMS.has(subsystem)) return undefined;
  const text = await textIfReadable(join(folder, "uevent"), "latin1");
  const { DEVNAME, MAJOR, MINOR } = Object.fromEntries(
    text.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  ) as Record<string, string | undefined>;
  if (!DEVNAME || !MAJOR || !MINOR) return undefined;
  const path = `/dev/${DEVNAME}`;
  return [path, deviceEntry(path, { isBlock: subsystem === "block", major: +MAJOR, minor: +MINOR })];
}
