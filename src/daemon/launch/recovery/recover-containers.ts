import { join } from "node:path";
import type { Logger } from "../../../base/logger.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { RecoveryPool } from "../../../engine/recovery.ts";
import type { Site } from "../../sites/site.ts";
import { emptyPool, fillEmptyPool } from "./empty-pool.ts";
import type { EngineSetup } from "./engine-setup.ts";
import { readySources } from "./missing-sources.ts";
import { containersOn, type PoolOnDisk } from "./pool-on-disk.ts";
import { completeProfiles, makeMissing, restoreSetup } from "./restore-setup.ts";
import { SetAside } from "./set-aside.ts";

export interface Recovering {
  readonly onDisk: PoolOnDisk;
  readonly setup: EngineSetup;
  readonly site: Site;
  readonly places: Readonly<Record<string, string>>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Containers that could not be brought back, each with the engine's reason. */
export type Unrecovered = ReadonlyMap<string, string>;

/**
 * Brings every container and volume on the pool back into an engine whose database knows none of them, with their
 * snapshots, and what they refer to before (behaviour.md 3.3, 12 item 6). A container that the engine cannot take
 * is left out and named. Throws when none comes back, or for a reason that concerns them all. Safe to repeat.
 */
export async function recoverContainers(engine: Engine, recovering: Recovering): Promise<Unrecovered> {
  const { onDisk, setup, signal } = recovering;
  const aside = new SetAside(onDisk);
  await aside.putBack();
  const names = await containersOn(onDisk);
  for (const name of names) await readySources(join(onDisk.folder, "containers", name), name, recovering);
  await restoreSetup(engine, setup, signal);
  try {
    const broken = await importAll(engine, names, aside, recovering);
    await prove(engine, names, broken, recovering);
    await completeProfiles(engine, setup, signal);
    return broken;
  } finally {
    await aside.putBack();
  }
}

async function importAll(
  engine: Engine,
  names: readonly string[],
  aside: SetAside,
  recovering: Recovering,
): Promise<Unrecovered> {
  const { log } = recovering;
  const pools = await poolsOf(engine, recovering);
  const broken = new Map<string, string>();
  for (;;) {
    try {
      await importOnce(engine, pools, recovering);
      return broken;
    } catch (thrown) {
      const error = TremplinError.from(thrown);
      const culprit = findCulprit(error, names);
      if (!culprit || broken.has(culprit)) throw thrown;
      broken.set(culprit, error.message);
      log.error({ error, container: culprit }, "a container cannot be brought back; it is left out");
      if (broken.size === names.length) throw thrown;
      await aside.take(culprit);
    }
  }
}

async function importOnce(
  engine: Engine,
  pools: readonly RecoveryPool[],
  recovering: Recovering,
): Promise<void> {
  const { signal } = recovering;
  await fillEmptyPool(recovering);
  const { missing } = await engine.recovery.validate(pools, { signal });
  await makeMissing(engine, missing, recovering);
  await engine.recovery.import(pools, { signal });
  await emptyPool(engine, recovering);
}

/**
 * Of our pool the disk itself tells. Others that somebody gave the engine were written down; one that is not there
 * at this moment is left out.
 */
async function poolsOf(engine: Engine, { onDisk, setup, log, signal }: Recovering): Promise<RecoveryPool[]> {
  const pools = [setup.pools.find(({ name }) => name === onDisk.pool.name) ?? onDisk.pool];
  for (const pool of setup.pools.filter(({ name }) => name !== onDisk.pool.name)) {
    try {
      await engine.recovery.validate([pool], { signal });
      pools.push(pool);
    } catch (error) {
      signal.throwIfAborted();
      log.error({ error, pool: pool.name }, "a pool cannot be brought back; it is left out");
    }
  }
  return pools;
}

/** Which container the engine's refusal is about, if it is about one: it imports all or nothing. */
function findCulprit({ code, message }: TremplinError, names: readonly string[]): string | undefined {
  if (code !== "failed" && code !== "not-found" && code !== "invalid") return undefined;
  const said = [/[Ii]nstance "([^"]+)"/, /\/containers\/([^/"]+)\//, /\/containers-snapshots\/([^/"]+)\//]
    .map((pattern) => pattern.exec(message)?.[1])
    .find((name) => name !== undefined);
  const project = /in project "([^"]+)"/.exec(message)?.[1];
  return names.find((name) => name === said || name === `${project}_${said}`);
}

/** Every container of the pool is one of the engine's now, and the engine itself finds none that is not. */
async function prove(
  engine: Engine,
  names: readonly string[],
  broken: Unrecovered,
  recovering: Recovering,
): Promise<void> {
  const { signal } = recovering;
  const { volumes } = await engine.recovery.validate(await poolsOf(engine, recovering), { signal });
  const known = new Set((await engine.instances.list({ signal })).map(({ name }) => name));
  const ofOurProject = names.filter((name) => !name.includes("_") && !broken.has(name));
  const lost = [...volumes.map(({ name }) => name), ...ofOurProject.filter((name) => !known.has(name))];
  if (lost.length === 0) return;
  throw new TremplinError("failed", `the engine did not take back ${[...new Set(lost)].join(", ")}`);
}
