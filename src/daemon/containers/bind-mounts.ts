import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { StartContainerRequest } from "../../contract/tremplin_pb.js";
import type { Devices } from "../../engine/resources/profiles.ts";
import { expand, type Site } from "../sites/site.ts";

type Places = Readonly<Record<string, string>>;

/**
 * Writes the files that the site shows inside a container and returns the devices that do so. Fields that the
 * request leaves empty give none. The files are readable by all, because users inside must read them; that
 * nobody else on this machine does, their folder sees to (behaviour.md 12 items 7, 35).
 */
export async function writeBindMounts(
  site: Site,
  places: Places,
  request: StartContainerRequest,
): Promise<Devices> {
  const devices: Record<string, Readonly<Record<string, string>>> = {};
  for (const { device, content, source, path } of site.bindMounts) {
    if (!request[content]) continue;
    const file = expand(source, { ...places, name: request.containerName });
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, request[content]);
    await chmod(file, 0o644);
    devices[device] = { type: "disk", source: file, path, required: "false" };
  }
  return devices;
}

/** The keys of instance devices that are ours to replace: all others are left alone. */
export function bindMountDevices(site: Site): ReadonlySet<string> {
  return new Set(site.bindMounts.map(({ device }) => device));
}

/** Deletes what was written for a container that is gone. */
export async function removeBindMounts(site: Site, places: Places, name: string): Promise<void> {
  for (const { source } of site.bindMounts) await rm(expand(source, { ...places, name }), { force: true });
}
