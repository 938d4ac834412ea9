import { lstat, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Flavor } from "../flavors/flavor.ts";
import { flavors } from "../flavors/flavors.ts";
import type { EngineAddress } from "../http/engine-address.ts";
import type { Instance } from "../resources/instance.ts";

/** An engine whose files may be on this machine. */
interface MaybeLocal {
  readonly address: EngineAddress;
  readonly flavor: Flavor;
}

/** The errors of a file that does not exist, or that this process may not see. */
const HIDDEN = new Set(["ENOENT", "ENOTDIR", "EACCES", "EPERM"]);

/**
 * For catch, on files of an engine that may hide them: a file that is missing or closed to this process becomes
 * undefined. Any other failure (a broken disk, too many open files) stays an error, because it says nothing about the
 * file.
 */
export function ifHidden(error: NodeJS.ErrnoException): undefined {
  if (!HIDDEN.has(error.code ?? "")) throw error;
}

/** The mount point of an instance's pool on this machine; undefined for a remote engine. */
function poolFolder({ address, flavor }: MaybeLocal, instance: Instance): string | undefined {
  if (address.kind !== "unix") return undefined;
  const disks = Object.values(instance.expanded_devices);
  const root = disks.find(({ type, path }) => type === "disk" && path === "/");
  return root?.pool && join(dirname(address.path), flavor.layout.pools, root.pool);
}

/**
 * The folder of a container's files on this machine: the engine's `backup.yaml`, and beside it `rootfs`,
 * `metadata.yaml` and `templates`, as far as they exist (docs/engines.md#storage-and-folders). Undefined for a remote
 * engine, and for storage drivers that mount a container only while they need it.
 */
export async function instanceFolder(engine: MaybeLocal, instance: Instance): Promise<string | undefined> {
  const pool = poolFolder(engine, instance);
  if (!pool) return undefined;
  const { containers, backupYaml } = engine.flavor.layout;
  const folder = join(pool, containers, instance.name);
  const found = await lstat(join(folder, backupYaml)).catch(ifHidden);
  return found?.isFile() ? folder : undefined;
}

/** Where a snapshot of a container is on this machine, whether it exists or not; undefined for a remote engine. */
export function snapshotPath(engine: MaybeLocal, instance: Instance, snapshot: string): string | undefined {
  const pool = poolFolder(engine, instance);
  return pool && join(pool, engine.flavor.layout.snapshots, instance.name, snapshot);
}

/**
 * The folder of a snapshot's files on this machine: `rootfs`, and beside it `metadata.yaml` and `templates`
 * (docs/engines.md#storage-and-folders). Undefined for a remote engine, and for storage drivers that mount snapshots
 * only while they need them.
 */
export async function snapshotFolder(
  engine: MaybeLocal,
  instance: Instance,
  snapshot: string,
): Promise<string | undefined> {
  const folder = snapshotPath(engine, instance, snapshot);
  if (!folder) return undefined;
  const found = await lstat(join(folder, "rootfs")).catch(ifHidden);
  return found?.isDirectory() ? folder : undefined;
}

/**
 * The folders in which an engine with that folder may keep its networks, one folder for each network. Of all flavors,
 * because the folder alone does not say which engine it belongs to.
 */
export function networksFolders(engineFolder: string): string[] {
  return unique(flavors.map(({ layout }) => join(engineFolder, layout.networks)));
}

/** The names of the networks that an engine with that folder keeps files of, also while it does not run. */
export async function networksOnDisk(engineFolder: string): Promise<string[]> {
  const names = networksFolders(engineFolder).map((folder) => readdir(folder).catch((): string[] => []));
  return (await Promise.all(names)).flat();
}

/** The folders in which an engine with that folder may keep the liblxc configuration of its containers. */
export function liblxcConfigFolders(engineFolder: string): string[] {
  return unique(flavors.map(({ layout }) => join(engineFolder, layout.liblxcConfigs)));
}

function unique(paths: readonly string[]): string[] {
  return [...new Set(paths)];
}
