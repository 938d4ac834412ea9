import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type Document, isMap, isSeq, type YAMLMap } from "yaml";
import { canAccess, replaceFile } from "../../../base/files/files.ts";
import type { Logger } from "../../../base/logger.ts";
import type { Config } from "../../../engine/resources/pools.ts";
import type { Devices } from "../../../engine/resources/profiles.ts";
import { expandPlaceholders, type Site } from "../../sites/site.ts";
import { readBackupYaml } from "./pool-on-disk.ts";

interface SiteContext {
  readonly site: Site;
  /** The values of {state} and {shared}. */
  readonly places: Readonly<Record<string, string>>;
  readonly log: Logger;
}

/**
 * Lets the engine import a container whose disks have missing sources, which it would refuse. A source that the site
 * mounts into each container becomes an empty file at the site's own path (docs/contract.md#database-reset). Any other
 * disk, of the container and of its snapshots, is marked as not required in backup.yaml: the container starts without
 * it, and has it again once the source exists. No file is made at a path that only a backup.yaml names.
 *
 * A backup.yaml that cannot be read stays as it is, because the engine's own error says more.
 */
export async function stubMissingSources(file: string, name: string, place: SiteContext): Promise<void> {
  const document = await readBackupYaml(file).catch((error) => {
    place.log.warn(
      { error, container: name },
      "cannot look for missing disks in the container's backup.yaml",
    );
  });
  if (!document) return;
  for (const { source } of place.site.bindMounts)
    await makeStub(expandPlaceholders(source, { ...place.places, name }), document);
  const changed: string[] = [];
  for (const devices of devicesIn(document)) {
    for (const { key, value } of devices.items) {
      if (!isMap(value)) continue;
      const device = value.toJSON() as Config;
      if (!(await requiresMissingSource(device))) continue;
      value.set("required", "false");
      changed.push(`${key}: ${device.source}`);
    }
  }
  if (changed.length === 0) return;
  place.log.warn(
    { container: name, disks: [...new Set(changed)] },
    "disks whose source is missing were marked as not required",
  );
  await replaceFile(file, document.toString(), 0o400);
}

/** The devices, with each disk whose source is missing marked as not required. */
export async function markOptional(devices: Devices): Promise<Devices> {
  const marked = Object.entries(devices).map(async ([key, device]) => {
    return [key, (await requiresMissingSource(device)) ? { ...device, required: "false" } : device] as const;
  });
  return Object.fromEntries(await Promise.all(marked));
}

async function requiresMissingSource({ type, source, pool, required }: Config): Promise<boolean> {
  if (type !== "disk" || pool || !source?.startsWith("/") || required === "false") return false;
  return !(await canAccess(source));
}

/** Makes an empty file at a source of the site, if the container mounts it. Each start of the container fills it. */
async function makeStub(path: string, document: Document): Promise<void> {
  const isMounted = devicesIn(document).some((devices) =>
    devices.items.some(({ value }) => isMap(value) && value.get("source") === path),
  );
  if (!isMounted || (await canAccess(path))) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, "", { flag: "wx", mode: 0o644 });
}

function devicesIn(document: Document): YAMLMap[] {
  const snapshots = document.get("snapshots");
  const holders = [document.get("container"), ...(isSeq(snapshots) ? snapshots.items : [])];
  return holders
    .filter((holder) => isMap(holder))
    .flatMap((holder) => [holder.get("devices"), holder.get("expanded_devices")])
    .filter((devices) => isMap(devices));
}
