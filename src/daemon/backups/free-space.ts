import { stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { StorageTarget } from "./space.ts";

/**
 * What is free where an import needs it: in the storage pool of new containers, and, for an engine on this
 * machine, where it keeps images. `limit` is what the host allows, in bytes, 0 for all.
 */
export async function freeSpace(
  engine: Engine,
  limit: number,
  signal: AbortSignal,
): Promise<StorageTarget[]> {
  const pool = await poolOfNewContainers(engine, signal);
  const { space } = await engine.pools.resources(pool, { signal });
  const inPool = Math.max(0, space.total - space.used);
  const rooms: StorageTarget[] = [
    { name: `the storage pool ${pool}`, available: inPool, holds: ["container"] },
  ];
  if (engine.address.kind === "unix") rooms.push(...(await imageRooms(engine, pool, signal)));
  if (limit > 0)
    rooms.push({ name: "what the host allows", available: limit, holds: ["image", "container"] });
  return rooms;
}

async function poolOfNewContainers(engine: Engine, signal: AbortSignal): Promise<string> {
  const profile = await engine.profiles.get("default", { signal }).catch(ifMissing);
  const disks = Object.values(profile?.value.devices ?? {});
  return disks.find(({ type, path }) => type === "disk" && path === "/")?.pool ?? "default";
}

/** The file system of the engine's images; on it may also lie the pool, as a folder or in a file that grows. */
async function imageRooms(engine: Engine, pool: string, signal: AbortSignal): Promise<StorageTarget[]> {
  const { value } = await engine.pools.get(pool, { signal });
  const folder = join(dirname((engine.address as { path: string }).path), engine.flavor.layout.images);
  const images = await statfs(folder).catch(() => undefined);
  if (!images) return [];
  const free = images.bavail * images.bsize;
  const source = value.config.source ?? "";
  const under = source.startsWith("/") ? await stat(source).catch(() => undefined) : undefined;
  const home = under && (await statfs(source).catch(() => undefined));
  const shares = home && home.type === images.type && home.blocks === images.blocks && !under.isBlockDevice();
  if (!shares) return [{ name: folder, available: free, holds: ["image"] }];
  // What the pool's file has had already it need not get again.
  const { space } = await engine.pools.resources(pool, { signal });
  const had = under.isFile() ? Math.max(0, under.blocks * 512 - space.used) : 0;
  return [{ name: `the file system of ${folder}`, available: free + had, holds: ["image", "container"] }];
}
