import type { Engine } from "../../engine/engine.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import type { ContainerExec } from "./container-exec.ts";
import { type AptEstimate, formatSize, parseSize } from "./size.ts";

/** Pools that keep what did not change only once, so that a snapshot and the way back take a moment. */
const COPY_ON_WRITE_DRIVERS = new Set(["btrfs", "zfs", "ceph"]);
/** Beyond apt's estimate: lists, logs, what scripts make. Bytes. */
const RESERVE_BYTES = 64e6;
/** Unpacked, packages have about so many times the size of their archives. */
const UNPACKED_RATIO = 3.5;

/** The pool that a container lies in, and how it keeps snapshots. */
export interface StoragePool {
  readonly name: string;
  readonly driver: string;
  readonly hasCheapSnapshots: boolean;
  /** In bytes; undefined where the engine cannot say. */
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
  // Not every driver can say it.
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

/** Bytes that a container takes, as far as the engine knows. */
export async function readDiskUsage(engine: Engine, inside: ContainerExec): Promise<number | undefined> {
  const { disk } = await engine.instances.state(inside.container, { signal: inside.signal });
  const usage = disk?.root?.usage ?? 0;
  if (usage > 0) return usage;
  const { stdout } = await inside.capture(["du", "--summarize", "--bytes", "--one-file-system", "/"]);
  return Number(/^\d{1,15}/.exec(stdout)?.[0]) || undefined;
}

/** What there is too little of for an upgrade, in sentences. */
export async function missingSpace(
  inside: ContainerExec,
  instance: Instance,
  pool: StoragePool,
  usage: number | undefined,
  { download, growth }: AptEstimate,
): Promise<string[]> {
  const needed = download + Math.max(0, growth) + RESERVE_BYTES;
  // What a snapshot still holds is not given free when it is replaced.
  const neededInPool = pool.hasCheapSnapshots
    ? download * (1 + UNPACKED_RATIO) + RESERVE_BYTES
    : (usage ?? 0) + needed;
  const limit = parseSize(rootDevice(instance)?.size ?? "");
  const left = limit === undefined || usage === undefined ? Number.POSITIVE_INFINITY : limit - usage;
  const free = Math.min(await readFreeSpace(inside), left);
  return [
    ...(free < needed ? [shortageSentence("in the container", needed, free)] : []),
    ...(pool.free !== undefined && pool.free < neededInPool
      ? [
          shortageSentence(
            `in the storage pool ${pool.name}, with the snapshot to go back to`,
            neededInPool,
            pool.free,
          ),
        ]
      : []),
  ];
}

function shortageSentence(where: string, needed: number, free: number): string {
  const numbers = `the upgrade needs ${formatSize(needed)} and ${formatSize(Math.max(0, free))} are free`;
  return `there is too little disk space ${where}: ${numbers}; make room and try again`;
}

async function readFreeSpace(inside: ContainerExec): Promise<number> {
  const { stdout } = await inside.capture([
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
