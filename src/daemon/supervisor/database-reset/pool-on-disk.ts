import { lstat, mkdir, open, readdir, readFile, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Document } from "yaml";
import { runProgram } from "../../../base/processes/run-program.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { EngineLayout } from "../../../engine/flavors/flavor.ts";
import type { RecoveryPool } from "../../../engine/resources/recovery.ts";
import { BTRFS_MAGIC } from "../../../engine/storage/btrfs.ts";
import { MANY_TOKENS, parseHostileDocument } from "../../backups/parse-hostile-yaml.ts";
import { POOL } from "../prepare/prepare-storage.ts";

/** The magic number of btrfs and its offset in the file. */
const BTRFS_SIGNATURE = { at: 0x10040, text: "_BHRfS_M" };

/** No engine writes a larger backup.yaml. Large ones have many snapshots, each with all values of the container. */
const MAX_BACKUP_YAML_BYTES = 64 * 1024 * 1024;

/** The pool of containers as it is in an engine's folder, whether an engine's database has it or not. */
export interface PoolOnDisk {
  /** The pool as the engine's recovery API takes it. */
  readonly pool: RecoveryPool;
  /** Where its containers are visible once it is mounted. */
  readonly folder: string;
  /** The image file with the pool; undefined for a pool in a folder. */
  readonly image: string | undefined;
  readonly layout: EngineLayout;
}

/** Finds the pool that prepareStorage made: btrfs in a file, a folder on btrfs, or a plain folder. */
export async function findPool(engineFolder: string, layout: EngineLayout): Promise<PoolOnDisk | undefined> {
  const folder = join(engineFolder, layout.pools, POOL);
  const image = join(engineFolder, layout.loopFiles, `${POOL}.img`);
  if (await isBtrfs(image)) return { pool: describe("btrfs", image), folder, image, layout };
  const names = await readdir(folder).catch((): string[] => []);
  if (!names.includes(layout.containers)) return undefined;
  const driver = (await statfs(folder)).type === BTRFS_MAGIC ? "btrfs" : "dir";
  return { pool: describe(driver, folder), folder, image: undefined, layout };
}

/** Mounts a pool that is in a file, where it is not mounted yet. */
export async function mountPool({ folder, image }: PoolOnDisk): Promise<void> {
  if (!image) return;
  await mkdir(folder, { recursive: true, mode: 0o711 });
  const [inside, outside] = await Promise.all([stat(folder), stat(join(folder, ".."))]);
  if (inside.dev !== outside.dev) return;
  await runProgram("mount", ["-t", "btrfs", "-o", "loop,user_subvol_rm_allowed,discard", image, folder]);
}

/** The folder names of the containers in it, sorted. */
export async function containersOn({ folder, layout }: PoolOnDisk): Promise<string[]> {
  return (await readdir(join(folder, layout.containers)).catch(() => [])).sort();
}

/**
 * Reads the backup.yaml that an engine keeps beside a container, within bounds, because root of the container may have
 * changed it. Throws for one that is missing, too large or no YAML.
 */
export async function readBackupYaml(file: string): Promise<Document.Parsed> {
  const { size } = await lstat(file);
  if (size > MAX_BACKUP_YAML_BYTES) {
    throw new TremplinError("invalid", `${file} has ${size} bytes, more than any engine writes`);
  }
  return parseHostileDocument(await readFile(file, "utf8"), MANY_TOKENS);
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
