import { stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { BTRFS_MAGIC } from "../../../engine/storage/btrfs.ts";

export const POOL = "default";
const GIB = 1024 ** 3;
const MIN_LOOP_BYTES = 5 * GIB;
/** The unit of `blocks` in the result of `stat`. */
const BLOCK_BYTES = 512;
/** The most that a file can use whose pool was not complete when the engine died. */
const MAX_UNUSED_BYTES = 16 * 1024 ** 2;

/**
 * Creates the storage pool `default`, unless it exists: btrfs in the engine's folder where that is on btrfs, else btrfs
 * in a sparse file that may grow to half of the free space, else (without btrfs) plain folders, where copies and
 * snapshots are slow.
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
      log.warn({ error }, "no btrfs pool could be created; using plain folders");
    }
  }
  await engine.pools.create({ name: POOL, driver: "dir" }, { signal });
}

async function btrfsConfig(engineFolder: string, pools: string): Promise<Record<string, string>> {
  const { type, bavail, bsize } = await statfs(engineFolder);
  if (type === BTRFS_MAGIC) return { source: join(engineFolder, pools, POOL) };
  return { size: `${Math.max(MIN_LOOP_BYTES, Math.floor((bavail * bsize) / 2))}B` };
}

/** Throws `failed` when the file holds a pool: an engine would truncate it to the size of its new pool. */
async function refuseUsedFile(file: string): Promise<void> {
  const blocks = await stat(file).then(
    (found) => found.blocks,
    () => 0,
  );
  if (blocks * BLOCK_BYTES <= MAX_UNUSED_BYTES) return;
  throw new TremplinError(
    "failed",
    `the engine knows no storage pool ${POOL}, but ${file} holds one: see docs/recovery.md, or move that file away`,
  );
}
