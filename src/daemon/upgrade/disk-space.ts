import type { Engine } from "../../engine/engine.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import type { ContainerExec } from "./container-exec.ts";
import { type AptEstimate, formatSize, parseSize } from "./size.ts";

/** Pools with copy-on-write snapshots: taking and restoring one is fast and needs little space. */
const COPY_ON_WRITE_DRIVERS = new Set(["btrfs", "zfs", "ceph"]);
/** In addition to apt's estimate: lists, logs, files of maintainer scripts. */
const RESERVE_BYTES = 64e6;
/** Approximate size of an unpacked package, as a multiple of its archive. */
const UNPACKED_RATIO = 3.5;

/** The storage pool of a container. */
export interface StoragePool {
  readonly name: string;
  readonly driver: string;
  readonly hasCheapSnapshots: boolean;
  /** Bytes; undefined if the engine does not report it. */
  readonly free: number | undefined;
}

export async function findStoragePool(
  engine: Engine,
  instance: Instance,
  signal: AbortSignal,
): Promise<StoragePool> {
  const name = rootDevice(instance)?.pool ?? "default";
  const { driver, config } = (await engine.pools.get(name, { signal })).value;
  const isThin = driver === "lvm" && config["lvm.use_thinpool"] !== "false";
  // Not every driver reports it.
  const space = await engine.pools.resources(name, { signal }).then(
    (resources) => resources.space,
    () => undefined,
  );
  return {
    name,
    driver,
    hasCheapSnapshots: COPY_ON_WRITE_DRIVERS.has(driver) || isThin,
    free: space && space.total > 0 ? space.total - space.used : undefined,
  };
}

/** Bytes that a container uses; undefined if unknown. */
export async function readDiskUsage(engine: Engine, exec: ContainerExec): Promise<number | undefined> {
  const { disk } = await engine.instances.state(exec.container, { signal: exec.signal });
  const usage = disk?.root?.usage ?? 0;
  if (usage > 0) return usage;
  const { stdout } = await exec.capture(["du", "--summarize", "--bytes", "--one-file-system", "/"]);
  return Number(/^\d{1,15}/.exec(stdout)?.[0]) || undefined;
}

/** The reasons, as sentences, why the disk space is too small for an upgrade; empty if it suffices. */
export async function missingSpace(
  exec: ContainerExec,
  instance: Instance,
  pool: StoragePool,
  usage: number | undefined,
  { download, growth }: AptEstimate,
): Promise<string[]> {
  const needed = download + Math.max(0, growth) + RESERVE_BYTES;
  // Replaced files stay in the snapshot and free no space.
  const neededInPool = pool.hasCheapSnapshots
    ? download * (1 + UNPACKED_RATIO) + RESERVE_BYTES
    : (usage ?? 0) + needed;
  const limit = parseSize(rootDevice(instance)?.size ?? "");
  const left = limit === undefined || usage === undefined ? Number.POSITIVE_INFINITY : limit - usage;
  const free = Math.min(await readFreeSpace(exec), left);
  return [
    ...(free < needed ? [shortageSentence("in the container", needed, free)] : []),
    ...(pool.free !== undefined && pool.free < neededInPool
      ? [
          shortageSentence(
            `in the storage pool ${pool.name}, including the rollback snapshot`,
            neededInPool,
            pool.free,
          ),
        ]
      : []),
  ];
}

function shortageSentence(where: string, needed: number, free: number): string {
  const numbers = `the upgrade needs ${formatSize(needed)}, and ${formatSize(Math.max(0, free))} are free`;
  return `too little disk space ${where}: ${numbers}; free some and try again`;
}

async function readFreeSpace(exec: ContainerExec): Promise<number> {
  const { stdout } = await exec.capture([
    "stat",
    "--file-system",
    "--format=%a %S",
    "/",
    "/var",
    "/var/cache/apt",
  ]);
  const free = stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" ").map(Number))
    .map(([blocks = 0, size = 0]) => blocks * size)
    .filter((bytes) => Number.isFinite(bytes));
  return Math.min(...free);
}

function rootDevice({ expanded_devices }: Instance) {
  return Object.values(expanded_devices).find(({ type, path }) => type === "disk" && path === "/");
}
