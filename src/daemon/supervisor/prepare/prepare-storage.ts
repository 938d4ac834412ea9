import { stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";

export const POOL = "default";

export const BTRFS_MAGIC = 0x9123683e;
const GIB = 1024 ** 3;
const SMALLEST_LOOP = 5 * GIB;
/** Of what `stat` counts. */
const BLOCK = 512;
/** More is in no file whose pool was still being made when an engine died. */
const MOST_UNUSED = 16 * 1024 ** 2;

/**
 * Makes the storage pool `default`: btrfs in the engine's own folder where that lies on btrfs, else btrfs in
 * a sparse file that may grow to half of what is free now, else (no btrfs to be had) plain folders, where
 * copies and snapshots are slow.
 */
export async function prepareStorage(
  engine: Engine,
  options: { engineFolder: string | undefined; log: Logger; signal: AbortSignal },
): Promise<void> {
  const { engineFolder, log, signal } = options;
  if (await engine.pools.get(POOL, { signal }).catch(ifMissing)) return;
  const { pools, loopFiles } = engine.flavor.layout;
  if (engineFolder) await refuseUsedFile(join(engineFolder, loopFiles, `${POOL}.img`));
  const config = engineFolder ? await btrfsConfig(engineFolder, pools) : {};
  if (engine.info.storageDrivers.includes("btrfs")) {
    try {
      await engine.pools.create({ name: POOL, driver: "btrfs", config }, { signal });
      return;
    } catch (error) {
      log.warn({ error }, "no btrfs pool could be made; using plain folders");
    }
  }
  await engine.pools.create({ name: POOL, driver: "dir" }, { signal });
}

async function btrfsConfig(engineFolder: string, pools: string): Promise<Record<string, string>> {
  const { type, bavail, bsize } = await statfs(engineFolder);
  if (type === BTRFS_MAGIC) return { source: join(engineFolder, pools, POOL) };
  return { size: `${Math.max(SMALLEST_LOOP, Math.floor((bavail * bsize) / 2))}B` };
}

/** An engine cuts a file that is there already to the size of its new pool, whatever is in it. */
async function refuseUsedFile(file: string): Promise<void> {
  const blocks = await stat(file).then(
    (found) => found.blocks,
    () => 0,
  );
  if (blocks * BLOCK <= MOST_UNUSED) return;
  throw new TremplinError(
    "failed",
    `the engine knows no storage pool ${POOL}, but ${file} holds one: see docs/recovery.md, or move that file away`,
  );
}
