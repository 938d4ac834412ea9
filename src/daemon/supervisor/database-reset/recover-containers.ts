import { join } from "node:path";
import type { Logger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { DEFAULT_PROJECT } from "../../../engine/resources/projects.ts";
import type { RecoveryPool } from "../../../engine/resources/recovery.ts";
import type { Site } from "../../sites/site.ts";
import { labelOf } from "../config-backup/config-schema.ts";
import { type ConfigRestore, createMissing } from "../config-backup/restore-config.ts";
import { stubMissingSources } from "./missing-sources.ts";
import { addPlaceholderVolume, removePlaceholderVolume } from "./placeholder-volume.ts";
import { containersOn, type PoolOnDisk } from "./pool-on-disk.ts";
import { Quarantine } from "./quarantine.ts";

export interface ContainerRecovery extends ConfigRestore {
  readonly onDisk: PoolOnDisk;
  readonly site: Site;
  readonly places: Readonly<Record<string, string>>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Imports every container and volume of the pool, with snapshots, into an engine whose database has none of them,
 * after what they refer to. A container that the engine cannot import is left out and recorded as missing. Throws when
 * no container can be imported, or for a reason that concerns them all. Safe to repeat.
 */
export async function recoverContainers(recovering: ContainerRecovery): Promise<void> {
  const { onDisk } = recovering;
  const quarantine = new Quarantine(onDisk);
  await quarantine.restoreAll();
  const names = await containersOn(onDisk);
  const { containers, backupYaml } = onDisk.layout;
  for (const name of names)
    await stubMissingSources(join(onDisk.folder, containers, name, backupYaml), name, recovering);
  try {
    const broken = await importAll(names, quarantine, recovering);
    await verifyRecovered(names, broken, recovering);
  } finally {
    await quarantine.restoreAll();
  }
}

async function importAll(
  names: readonly string[],
  quarantine: Quarantine,
  recovering: ContainerRecovery,
): Promise<ReadonlySet<string>> {
  const { log, restoring } = recovering;
  const pools = await poolsOf(recovering);
  const broken = new Set<string>();
  for (;;) {
    try {
      await importOnce(pools, recovering);
      return broken;
    } catch (thrown) {
      const error = TremplinError.from(thrown);
      const container = containerInError(error, names);
      if (!container || broken.has(container)) throw thrown;
      broken.add(container);
      restoring.note(containerLabel(container), error.message);
      log.error({ error, container }, "a container cannot be imported; it is left out");
      if (broken.size === names.length) throw thrown;
      await quarantine.add(container);
    }
  }
}

/** The name for a person of a container, from that of its folder: PROJECT_NAME, or NAME in the default project. */
function containerLabel(folder: string): string {
  const [, project, name] = /^(.*)_([^_]*)$/.exec(folder) ?? [];
  return project === undefined ? folder : `${name} in project ${project}`;
}

async function importOnce(pools: readonly RecoveryPool[], recovering: ContainerRecovery): Promise<void> {
  const { engine, signal } = recovering;
  await addPlaceholderVolume(recovering);
  // The engine reports dependencies in steps: those inside a project only once the project exists.
  for (let before = ""; ; ) {
    const { missing } = await engine.recovery.validate(pools, { signal });
    if (missing.length === 0 || missing.join() === before) break;
    before = missing.join();
    await createMissing(recovering, missing);
  }
  await engine.recovery.import(pools, { signal });
  await removePlaceholderVolume(engine, recovering);
}

/**
 * The pools to import: the default pool as the config backup or the disk has it, and the others of the config backup.
 * One of these that is not available now is left out.
 */
async function poolsOf({
  engine,
  onDisk,
  setup,
  restoring,
  signal,
}: ContainerRecovery): Promise<RecoveryPool[]> {
  const ofDefault = setup.pools.find(({ name }) => name === onDisk.pool.name);
  const pools = [ofDefault ? asRecoveryPool(ofDefault) : onDisk.pool];
  for (const pool of setup.pools.filter(({ name }) => name !== onDisk.pool.name)) {
    await restoring.attempt(labelOf("pools", pool), async () => {
      await engine.recovery.validate([asRecoveryPool(pool)], { signal });
      pools.push(asRecoveryPool(pool));
    });
  }
  return pools;
}

function asRecoveryPool({ name, driver = "", config = {} }: RecoveryPool): RecoveryPool {
  return { name, driver, config };
}

/** The container that makes the engine refuse the import, which is all or nothing; undefined for another reason. */
export function containerInError(
  { code, message }: TremplinError,
  names: readonly string[],
): string | undefined {
  if (code !== "failed" && code !== "not-found" && code !== "invalid") return undefined;
  const named = [/[Ii]nstance "([^"]+)"/, /\/containers\/([^/"]+)\//, /\/containers-snapshots\/([^/"]+)\//]
    .map((pattern) => pattern.exec(message)?.[1])
    .find((name) => name !== undefined);
  const project = /in project "([^"]+)"/.exec(message)?.[1] ?? DEFAULT_PROJECT;
  // Containers of two projects may have the same name.
  const folder = project === DEFAULT_PROJECT ? named : `${project}_${named}`;
  return names.find((name) => name === folder) ?? names.find((name) => name === named);
}

/** Throws unless every container of the pool is in the engine, and the engine itself finds none that is not. */
async function verifyRecovered(
  names: readonly string[],
  broken: ReadonlySet<string>,
  recovering: ContainerRecovery,
): Promise<void> {
  const { engine, signal } = recovering;
  const { volumes } = await engine.recovery.validate(await poolsOf(recovering), { signal });
  const known = new Set((await engine.instances.list({ signal })).map(({ name }) => name));
  const ofDefaultProject = names.filter((name) => !name.includes("_") && !broken.has(name));
  const lost = [...volumes.map(({ name }) => name), ...ofDefaultProject.filter((name) => !known.has(name))];
  if (lost.length === 0) return;
  throw new TremplinError("failed", `the engine did not recover ${[...new Set(lost)].join(", ")}`);
}
