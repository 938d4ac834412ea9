import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { type Document, isMap, isSeq, parseDocument, type YAMLMap } from "yaml";
import { canAccess } from "../../../base/files/can-access.ts";
import { replaceFile } from "../../../base/files/durable-file.ts";
import type { Logger } from "../../../base/logger.ts";
import type { Config } from "../../../engine/resources/pools.ts";
import type { Devices } from "../../../engine/resources/profiles.ts";
import { expand, type Site } from "../../sites/site.ts";
import { readBackupYaml } from "./read-backup-yaml.ts";

interface Place {
  readonly site: Site;
  /** What {state} and {shared} mean. */
  readonly places: Readonly<Record<string, string>>;
  readonly log: Logger;
}

/**
 * An engine refuses to take a container back whose disks come from where nothing is. So what the site shows in
 * each container gets an empty file at the place that the site says, whatever the container's own backup.yaml
 * says (behaviour.md 3.3). Any other disk, of the container and of its snapshots, is marked there as not
 * required: the container comes back and starts without it, and has it again when it is there again. Nothing is
 * made at a path that only a backup.yaml names.
 *
 * A backup.yaml that cannot be read is left as it is: the engine says better what is wrong.
 */
export async function stubMissingSources(file: string, name: string, place: Place): Promise<void> {
  const document = await readBackup(file);
  if (!document) return;
  for (const { source } of place.site.bindMounts)
    await makeStub(expand(source, { ...place.places, name }), document);
  const changed: string[] = [];
  for (const devices of devicesIn(document)) {
    for (const { key, value } of devices.items) {
      if (!isMap(value)) continue;
      const device = value.toJSON() as Config;
      if (!(await isNeededInVain(device))) continue;
      value.set("required", "false");
      changed.push(`${key}: ${device.source}`);
    }
  }
  if (changed.length === 0) return;
  place.log.warn(
    { container: name, disks: [...new Set(changed)] },
    "disks whose source is missing are not required now",
  );
  await replaceFile(file, document.toString(), 0o400);
}

/** The devices, those that come from where nothing is marked as not required. */
export async function markOptional(devices: Devices): Promise<Devices> {
  const marked = Object.entries(devices).map(async ([key, device]) => {
    return [key, (await isNeededInVain(device)) ? { ...device, required: "false" } : device] as const;
  });
  return Object.fromEntries(await Promise.all(marked));
}

async function isNeededInVain({ type, source, pool, required }: Config): Promise<boolean> {
  if (type !== "disk" || pool || !source?.startsWith("/") || required === "false") return false;
  return !(await canAccess(source));
}

async function readBackup(file: string): Promise<Document | undefined> {
  try {
    return parseDocument((await readBackupYaml(file)).text);
  } catch {
    return undefined;
  }
}

/** An empty file where the site puts one at each start, if this container shows it; it is filled then. */
async function makeStub(path: string, document: Document): Promise<void> {
  const shown = devicesIn(document).some((devices) =>
    devices.items.some(({ value }) => isMap(value) && value.get("source") === path),
  );
  if (!shown || (await canAccess(path))) return;
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
