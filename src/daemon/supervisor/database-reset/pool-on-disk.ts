import { execFile } from "node:child_process";
import { mkdir, open, readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { EngineLayout } from "../../../engine/flavors/flavor.ts";
import type { RecoveryPool } from "../../../engine/resources/recovery.ts";
import { BTRFS_MAGIC, POOL } from "../prepare/prepare-storage.ts";

const execute = promisify(execFile);
/** Where btrfs writes who it is, and what. */
const BTRFS_SIGNATURE = { at: 0x10040, text: "_BHRfS_M" };

/** The pool of containers as it lies in an engine's folder, whether an engine knows of it or not. */
export interface PoolOnDisk {
  /** As the engine is to be told of it. */
  readonly pool: RecoveryPool;
  /** Where its containers are seen. */
  readonly folder: string;
  /** The file it is in, where it is in one. */
  readonly image: string | undefined;
  readonly layout: EngineLayout;
}

/** The pool that prepareStorage once made: a btrfs in a file, a btrfs folder, a plain folder. */
export async function findPool(engineFolder: string, layout: EngineLayout): Promise<PoolOnDisk | undefined> {
  const folder = join(engineFolder, layout.pools, POOL);
  const image = join(engineFolder, layout.loopFiles, `${POOL}.img`);
  if (await isBtrfs(image)) return { pool: describe("btrfs", image), folder, image, layout };
  const names = await readdir(folder).catch((): string[] => []);
  if (!names.includes(layout.containers)) return undefined;
  const driver = (await statfs(folder)).type === BTRFS_MAGIC ? "btrfs" : "dir";
  return { pool: describe(driver, folder), folder, image: undefined, layout };
}

/** Makes its containers seen, as the engine will need them too: mounts the file that it is in. */
export async function mountPool({ folder, image }: PoolOnDisk): Promise<void> {
  if (!image) return;
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const [inside, outside] = await Promise.all([stat(folder), stat(join(folder, ".."))]);
  if (inside.dev !== outside.dev) return;
  await execute("mount", ["-t", "btrfs", "-o", "loop,user_subvol_rm_allowed,discard", image, folder]);
}

/** The names of the containers that lie in it. */
export async function containersOn({ folder, layout }: PoolOnDisk): Promise<string[]> {
  return (await readdir(join(folder, layout.containers)).catch(() => [])).sort();
}

function describe(driver: string, source: string): RecoveryPool {
  return { name: POOL, driver, config: { source } };
}

async function isBtrfs(image: string): Promise<boolean> {
  const file = await open(image, "r").catch(() => undefined);
  if (!file) return false;
  await using _closed = file;
  const { at, text } = BTRFS_SIGNATURE;
  const { buffer } = await file.read(Buffer.alloc(text.length), 0, text.length, at);
  return buffer.toString("latin1") === text;
}
