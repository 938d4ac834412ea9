import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Devices } from "../../engine/resources/profiles.ts";
import { expandPlaceholders, type Site } from "../sites/site.ts";

type Places = Readonly<Record<string, string>>;

/** The fields of a request to start that the site can show as files inside the container. */
type Contents = Readonly<Record<Site["bindMounts"][number]["content"], string>>;

/**
 * Writes the files that the site shows inside a container and returns the devices that mount them; an empty field
 * gives none. The files are readable by all, because users in the container must read them. Their folder keeps out
 * everybody else on this machine.
 */
export async function writeBindMounts(
  site: Site,
  places: Places,
  request: Contents & { readonly containerName: string },
): Promise<Devices> {
  const devices: Record<string, Readonly<Record<string, string>>> = {};
  for (const { device, content, source, path } of site.bindMounts) {
    if (!request[content]) continue;
    const file = expandPlaceholders(source, { ...places, name: request.containerName });
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, request[content]);
    await chmod(file, 0o644);
    devices[device] = { type: "disk", source: file, path, required: "false" };
  }
  return devices;
}

/** The files of a container by the devices that show them. */
export function bindMountFiles(site: Site, places: Places, name: string): ReadonlyMap<string, string> {
  return new Map(
    site.bindMounts.map(({ device, source }) => [device, expandPlaceholders(source, { ...places, name })]),
  );
}

/**
 * The devices with this container's own files (bindMountFiles). Those of a snapshot may show another's: that of an
 * earlier name, or of the container that it was copied from.
 */
export function withOwnFiles(devices: Devices, files: ReadonlyMap<string, string>): Devices {
  const own = Object.entries(devices).map(([name, device]) => {
    const source = device.source && files.get(name);
    return [name, source ? { ...device, source } : device];
  });
  return Object.fromEntries(own) as Devices;
}

/** The names of the devices that each start replaces; it leaves all others alone. */
export function bindMountDevices(site: Site): ReadonlySet<string> {
  return new Set(site.bindMounts.map(({ device }) => device));
}

/** Deletes the files of a container that is gone. */
export async function removeBindMounts(site: Site, places: Places, name: string): Promise<void> {
  for (const { source } of site.bindMounts)
    await rm(expandPlaceholders(source, { ...places, name }), { force: true });
}
