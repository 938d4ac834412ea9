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

export interface Recovering extends ConfigRestore {
  readonly onDisk: PoolOnDisk;
  readonly site: Site;
  readonly places: Readonly<Record<string, string>>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Brings every container and volume on the pool back into an engine whose database knows none of them, with their
 * snapshots, and what they refer to before. A container that the engine cannot take is left out and noted. Throws
 * when none comes back, or for a reason that concerns them all. Safe to repeat.
 */
export async function recoverContainers(recovering: Recovering): Promise<void> {
  const { onDisk } = recovering;
  const aside = new Quarantine(onDisk);
  await aside.restoreAll();
  const names = await containersOn(onDisk);
  const { containers, backupYaml } = onDisk.layout;
  for (const name of names)
    await stubMissingSources(join(onDisk.folder, containers, name, backupYaml), name, recovering);
  try {
    const broken = await importAll(names, aside, recovering);
    await prove(names, broken, recovering);
  } finally {
    await aside.restoreAll();
  }
}

async function importAll(
  names: readonly string[],
  aside: Quarantine,
  recovering: Recovering,
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
      const culprit = findCulprit(error, names);
      if (!culprit || broken.has(culprit)) throw thrown;
      broken.add(culprit);
      restoring.note(containerLabel(culprit), error.message);
      log.error({ error, container: culprit }, "a container cannot be brought back; it is left out");
      if (broken.size === names.length) throw thrown;
      await aside.add(culprit);
    }
  }
}

/** What a person calls a container that lies in a folder of that name: PROJECT_NAME, but for the default project. */
export function containerLabel(folder: string): string {
  const [, project, name] = /^(.*)_([^_]*)$/.exec(folder) ?? [];
  return project === undefined ? folder : `${name} in project ${project}`;
}

async function importOnce(pools: readonly RecoveryPool[], recovering: Recovering): Promise<void> {
  const { engine, signal } = recovering;
  await addPlaceholderVolume(recovering);
  // What stands in the way is told in steps: what a project holds, only once there is the project.
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
 * Of our pool the disk itself tells. Others that somebody gave the engine were written down; one that is not there
 * at this moment is left out.
 */
async function poolsOf({ engine, onDisk, setup, restoring, signal }: Recovering): Promise<RecoveryPool[]> {
  const ofOurs = setup.pools.find(({ name }) => name === onDisk.pool.name);
  const pools = [ofOurs ? asRecoveryPool(ofOurs) : onDisk.pool];
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

/** Which container the engine's refusal is about, if it is about one: it imports all or nothing. */
export function findCulprit({ code, message }: TremplinError, names: readonly string[]): string | undefined {
  if (code !== "failed" && code !== "not-found" && code !== "invalid") return undefined;
  const said = [/[Ii]nstance "([^"]+)"/, /\/containers\/([^/"]+)\//, /\/containers-snapshots\/([^/"]+)\//]
    .map((pattern) => pattern.exec(message)?.[1])
    .find((name) => name !== undefined);
  const project = /in project "([^"]+)"/.exec(message)?.[1] ?? DEFAULT_PROJECT;
  // A container of the default project may have the same name as one of another.
  const folder = project === DEFAULT_PROJECT ? said : `${project}_${said}`;
  return names.find((name) => name === folder) ?? names.find((name) => name === said);
}

/** Every container of the pool is one of the engine's now, and the engine itself finds none that is not. */
async function prove(
  names: readonly string[],
  broken: ReadonlySet<string>,
  recovering: Recovering,
): Promise<void> {
  const { engine, signal } = recovering;
  const { volumes } = await engine.recovery.validate(await poolsOf(recovering), { signal });
  const known = new Set((await engine.instances.list({ signal })).map(({ name }) => name));
  const ofOurProject = names.filter((name) => !name.includes("_") && !broken.has(name));
  const lost = [...volumes.map(({ name }) => name), ...ofOurProject.filter((name) => !known.has(name))];
  if (lost.length === 0) return;
  throw new TremplinError("failed", `the engine did not take back ${[...new Set(lost)].join(", ")}`);
}
