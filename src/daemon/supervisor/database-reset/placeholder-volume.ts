import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { canAccess } from "../../../base/files/files.ts";
import { runProgram } from "../../../base/processes/run-program.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import type { EngineConfigBackup } from "../config-backup/config-schema.ts";
import { containersOn, type PoolOnDisk } from "./pool-on-disk.ts";

const VOLUME = "tremplin-empty-pool";

interface PoolContext {
  readonly onDisk: PoolOnDisk;
  readonly signal: AbortSignal;
}

interface OldConfig {
  readonly setup: EngineConfigBackup;
}

/**
 * Makes an empty volume in a pool without containers. An engine imports a pool only with something in it, and refuses
 * to create one where a pool exists. Can be repeated.
 */
export async function addPlaceholderVolume({ onDisk }: PoolContext): Promise<void> {
  if ((await containersOn(onDisk)).length > 0) return;
  const volume = join(onDisk.folder, onDisk.layout.customVolumes, `default_${VOLUME}`);
  await mkdir(dirname(volume), { recursive: true });
  if (onDisk.pool.driver !== "btrfs") await mkdir(volume, { recursive: true });
  else if (!(await canAccess(volume))) await runProgram("btrfs", ["subvolume", "create", volume]);
}

/** Deletes that volume once the pool is imported, unless the old database had a volume of its name. */
export async function removePlaceholderVolume(
  engine: Engine,
  { onDisk, setup, signal }: PoolContext & OldConfig,
): Promise<void> {
  if (setup.volumes.some(({ name, pool }) => name === VOLUME && pool === onDisk.pool.name)) return;
  await engine.pools.volumes(onDisk.pool.name).delete(VOLUME, { signal }).catch(ifMissing);
}
