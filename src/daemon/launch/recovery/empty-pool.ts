import { execFile } from "node:child_process";
import { access, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/if-missing.ts";
import { containersOn, type PoolOnDisk } from "./pool-on-disk.ts";

const execute = promisify(execFile);
const VOLUME = "tremplin-empty-pool";

/**
 * An engine takes a pool back only for the sake of something in it, and refuses to make one where a pool lies.
 * So an empty pool gets an empty volume, which is deleted again on disposal.
 */
export async function holdEmptyPool(
  engine: Engine,
  { onDisk, signal }: { onDisk: PoolOnDisk; signal: AbortSignal },
): Promise<AsyncDisposable> {
  const pool = onDisk.pool.name;
  const volume = join(onDisk.folder, "custom", `default_${VOLUME}`);
  if ((await containersOn(onDisk)).length === 0) {
    await mkdir(dirname(volume), { recursive: true });
    if (onDisk.pool.driver !== "btrfs") await mkdir(volume, { recursive: true });
    else if (!(await exists(volume))) await execute("btrfs", ["subvolume", "create", volume]);
  }
  return {
    async [Symbol.asyncDispose]() {
      await engine.pools.deleteVolume(pool, VOLUME, { signal }).catch(ifMissing);
    },
  };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
