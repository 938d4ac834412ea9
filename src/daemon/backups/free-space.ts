import { stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";

/**
 * The free space that an import can use: in the storage pool of new containers, and, for an engine on this machine,
 * where it keeps images. `limit`: the host's limit in bytes, 0 for none.
 */
export async function freeSpace(
  engine: Engine,
  limit: number,
  signal: AbortSignal,
): Promise<StorageTarget[]> {
  const pool = await defaultPool(engine, signal);
  const { space } = await engine.pools.resources(pool, { signal });
  const inPool = Math.max(0, space.total - space.used);
  const targets: StorageTarget[] = [
    { name: `the storage pool ${pool}`, available: inPool, holds: ["container"] },
  ];
  if (engine.address.kind === "unix") targets.push(...(await imageTargets(engine, pool, signal)));
  if (limit > 0)
    targets.push({ name: "the limit of the host", available: limit, holds: ["image", "container"] });
  return targets;
}

async function defaultPool(engine: Engine, signal: AbortSignal): Promise<string> {
  const profile = await engine.profiles.get("default", { signal }).catch(ifMissing);
  const disks = Object.values(profile?.value.devices ?? {});
  return disks.find(({ type, path }) => type === "disk" && path === "/")?.pool ?? "default";
}

/** The file system of the engine's images. It may also contain the pool, as a folder or as a growing file. */
async function imageTargets(engine: Engine, pool: string, signal: AbortSignal): Promise<StorageTarget[]> {
  const { value } = await engine.pools.get(pool, { signal });
  const folder = join(dirname((engine.address as { path: string }).path), engine.flavor.layout.images);
  const images = await statfs(folder).catch(() => undefined);
  if (!images) return [];
  const free = images.bavail * images.bsize;
  const source = value.config.source ?? "";
  const poolSource = source.startsWith("/") ? await stat(source).catch(() => undefined) : undefined;
  const disk = poolSource && (await statfs(source).catch(() => undefined));
  const isShared =
    disk && disk.type === images.type && disk.blocks === images.blocks && !poolSource.isBlockDevice();
  if (!isShared) return [{ name: folder, available: free, holds: ["image"] }];
  // Blocks that the pool's file already has, but does not use, are available too.
  const { space } = await engine.pools.resources(pool, { signal });
  const unused = poolSource.isFile() ? Math.max(0, poolSource.blocks * 512 - space.used) : 0;
  return [{ name: `the file system of ${folder}`, available: free + unused, holds: ["image", "container"] }];
}

/** A pool or disk that an import writes to. */
export interface StorageTarget {
  /** For people: "the storage pool default". */
  readonly name: string;
  /** Bytes. */
  readonly available: number;
  /** What the import stores there. */
  readonly holds: readonly ("image" | "container")[];
}

/** Bytes that an import needs: for the image file while the import runs, and for the container. */
export interface SpaceRequirement {
  readonly image: number;
  readonly container: number;
}

/** The cause of an error: this target is too small. */
export class InsufficientSpace {
  readonly target: StorageTarget;
  /** Bytes. */
  readonly required: number;

  constructor(target: StorageTarget, required: number) {
    this.target = target;
    this.required = required;
  }

  /** For a notice: hosts subtract the first from the second, so it is never larger. */
  get availableBytes(): bigint {
    return BigInt(Math.floor(this.target.available));
  }

  get requiredBytes(): bigint {
    return BigInt(Math.ceil(this.required));
  }
}

/** The target that lacks most; undefined if all are large enough. */
export function findShortage(
  targets: readonly StorageTarget[],
  need: SpaceRequirement,
): InsufficientSpace | undefined {
  const requiredOn = ({ holds }: StorageTarget): number => holds.reduce((sum, what) => sum + need[what], 0);
  const lacking = targets
    .map((target) => new InsufficientSpace(target, requiredOn(target)))
    .filter(({ target, required }) => required > target.available);
  const lack = ({ target, required }: InsufficientSpace): number => required - target.available;
  return lacking.sort((one, other) => lack(other) - lack(one))[0];
}
