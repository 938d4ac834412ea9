import { join } from "node:path";
import type { Clock } from "../../base/async/clock.ts";
import { canAccess } from "../../base/files/can-access.ts";
import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { EngineAddress } from "../../engine/http/engine-address.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { recordConfig } from "./config-backup/config-backup.ts";
import type { MissingItems } from "./config-backup/missing.ts";
import { removeWanted } from "./config-backup/wanted-config.ts";
import { concludeReset, recordMissing } from "./database-reset/conclude-reset.ts";
import {
  BROKEN,
  checkDatabaseSpace,
  findDatabaseFault,
  waitUntilStuckOnDatabase,
} from "./database-reset/database-fault.ts";
import type { DatabaseReset } from "./database-reset/database-reset.ts";
import { ImageGuard } from "./database-reset/image-guard.ts";
import { findPool } from "./database-reset/pool-on-disk.ts";
import { ephemeralRefusal } from "./database-reset/reset-conditions.ts";
import { POOL } from "./prepare/prepare-storage.ts";
import type { ManagedEngine } from "./process/managed-engine.ts";

/** An engine that was killed while it was made ready is made ready anew so often. */
export const ATTEMPTS = 3;

export interface ManagedLaunch {
  readonly managed: ManagedEngine;
  readonly reset: DatabaseReset;
  /** Whether the engine gets a new database if none is under way. Asked once. */
  readonly wantsReset: () => Promise<boolean>;
  /** Called when the reset of that wish has begun on disk and goes on whatever dies. */
  readonly onResetBegun: () => Promise<void>;
  readonly connect: (address: EngineAddress) => Promise<Engine>;
  /** Gives the engine what containers need; after a reset, also all that the old database had. */
  readonly prepare: (engine: Engine, onRecovering: boolean) => Promise<MissingItems>;
  /** Called with why, when it takes more than a launch. */
  readonly recovering: (why: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface Prepared {
  readonly engine: Engine;
  /** What a person should know although the engine runs. */
  readonly remark: string;
}

interface Recovered {
  readonly engine: Engine;
  readonly missing: MissingItems;
}

/**
 * Launches the daemon's own engine: with its database, or with a new one and all containers brought back into it
 * (behaviour.md 3.3). A new one is made when it is wanted, and when the old one is lost or broken by the engine's
 * own words (docs/decisions/0009-database-reset.md). When the containers do not come back, the old one is put back.
 */
export async function launchManagedEngine(launch: ManagedLaunch): Promise<Prepared> {
  const { managed: own, reset } = launch;
  if (!(await own.isRunning())) await checkDatabaseSpace(own.folder);
  await resumeReset(launch);
  if (!reset.phase) {
    const guard = new ImageGuard(own.folder, own.layout, launch.log);
    const isStarting = !(await own.isRunning());
    if (isStarting) await guard.raise();
    if (await launch.wantsReset()) {
      if (isStarting) await startWithOldDatabase(launch);
      await beginReset(launch);
      await launch.onResetBegun();
    } else {
      const wrong = await findFault(launch);
      if (!wrong) {
        const { engine } = await attempt(launch, false);
        await guard.lower();
        return { engine, remark: "" };
      }
      launch.recovering(`${wrong}; a new one is made, and the containers are brought back into it`);
      await beginReset(launch);
    }
  }
  const recovered = await attempt(launch, true).catch((thrown) => {
    launch.signal.throwIfAborted();
    return restoreOldDatabase(launch, TremplinError.from(thrown));
  });
  return "missing" in recovered ? await finishReset(launch, recovered) : recovered;
}

/**
 * Ends a reset that worked. From here on the new database is the one that counts, whatever fails: the next launch goes
 * on from what is on disk.
 */
async function finishReset(
  { managed: own, reset }: ManagedLaunch,
  { engine, missing }: Recovered,
): Promise<Prepared> {
  try {
    const remark = await concludeReset(reset, own.folder, missing);
    return { engine, remark: [remark, remarkOnUnused(reset, own.folder)].filter(Boolean).join(" ") };
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

/** Finishes what an earlier daemon was at when it died. */
async function resumeReset({ managed: own, reset, log }: ManagedLaunch): Promise<void> {
  const { phase } = reset;
  if (!phase) return;
  log.warn({ phase }, "an earlier daemon died while it reset the engine's database: going on");
  if (phase === "moving" || phase === "restoring") await own.stopAll();
  await reset.resume();
}

/**
 * Starts the engine with its old database, so that it says what it has: a person may have changed that while no daemon
 * was there to write it down. One that does not start is what the reset is for.
 */
async function startWithOldDatabase(launch: ManagedLaunch): Promise<void> {
  const { managed: own, log, signal } = launch;
  if (!(await canAccess(join(own.folder, own.layout.globalDatabase)))) return;
  try {
    await findFault(launch);
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ error }, "the engine does not start with the database that is to be reset");
  }
}

async function beginReset({ managed: own, reset, connect, log, signal }: ManagedLaunch): Promise<void> {
  let incomplete: string | undefined;
  let refusal: TremplinError | undefined;
  // What was written down at the last launch may be old; an engine that runs knows better.
  if (await own.isReady()) {
    try {
      await using engine = await connect(await own.start());
      refusal = await ephemeralRefusal(engine, signal);
      if (await knowsPool(engine, signal)) await recordConfig(engine, own.folder, signal);
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ error }, "the engine does not say any more what it has");
      incomplete = `the engine did not say any more what it had (${TremplinError.from(error).message})`;
    }
  }
  if (refusal) throw refusal;
  await recordMissing(reset, own.folder, incomplete);
  await own.stopAll();
  const guard = new ImageGuard(own.folder, own.layout, log);
  await guard.restore();
  await reset.begin();
  await guard.lower();
}

/** What is wrong with the database, if a new one puts it right. Throws what it does not. */
async function findFault({
  managed: own,
  connect,
  clock,
  signal,
}: ManagedLaunch): Promise<string | undefined> {
  const found = new AbortController();
  const stuck = waitUntilStuckOnDatabase(own, clock, AbortSignal.any([signal, found.signal]));
  try {
    const address = await Promise.race([own.start(), stuck]);
    if (!address) return BROKEN;
    await using engine = await connect(address);
    const lost = !(await knowsPool(engine, signal)) && (await findPool(own.folder, own.layout));
    return lost ? "the engine's database is empty, and there is a pool of containers" : undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    return await faultOf(own, TremplinError.from(thrown));
  } finally {
    stuck.catch(() => undefined);
    found.abort();
  }
}

async function faultOf(own: ManagedEngine, error: TremplinError): Promise<string | undefined> {
  // It was killed just now, and is started again.
  if (error.code === "unavailable") return undefined;
  const fault = findDatabaseFault(await own.logTail());
  if (!fault || !own.gaveUpError) throw error;
  if (fault.isFixedByReset) return fault.sentence;
  throw new TremplinError("failed", `${fault.sentence} (${error.message})`, error);
}

async function knowsPool(engine: Engine, signal: AbortSignal): Promise<boolean> {
  return (await engine.pools.get(POOL, { signal }).catch(ifMissing)) !== undefined;
}

/** Starts it and makes it ready; anew when it was killed meanwhile, since all of it can be repeated. */
async function attempt(
  { managed: own, reset, connect, prepare, log, signal }: ManagedLaunch,
  recovering: boolean,
): Promise<Recovered> {
  for (let count = 1; ; count++) {
    let engine: Engine | undefined;
    try {
      engine = await connect(await own.start());
      return { engine, missing: await prepare(engine, recovering) };
    } catch (error) {
      await engine?.[Symbol.asyncDispose]();
      signal.throwIfAborted();
      if (TremplinError.from(error).code !== "unavailable" || count === ATTEMPTS) throw error;
      log.warn({ error }, "the engine died while it was made ready: again");
      if (!recovering) continue;
      // A container that it was just taking back can be half in its database: another one, then.
      await own.stopAll();
      await reset.startOver();
    }
  }
}

/** The fallback: the old database again. If that fails too, the first reason is told. */
async function restoreOldDatabase(launch: ManagedLaunch, why: TremplinError): Promise<Prepared> {
  const { managed: own, reset, log } = launch;
  log.error({ error: why }, "the containers did not come back into a new database: the old one is put back");
  const sentence = `a new database for the engine did not work out (${why.message}); the old one is in use again`;
  launch.recovering(sentence);
  try {
    await own.stopAll();
    await reset.restore();
    await removeWanted(own.folder);
    // The old database may be the one that is lost, and its engine would delete every image.
    const guard = new ImageGuard(own.folder, own.layout, log);
    await guard.raise();
    const { engine } = await attempt(launch, false);
    await guard.lower();
    const unused = remarkOnUnused(reset, own.folder);
    return { engine, remark: unused ? `${sentence}. ${unused}` : sentence };
  } catch (error) {
    log.error({ error }, "the old database does not work either");
    throw why;
  }
}

function remarkOnUnused({ unused }: DatabaseReset, folder: string): string {
  if (unused.length === 0) return "";
  return `What was made in the engine while its reset was interrupted is kept in ${folder} (${unused.join(", ")}); see docs/recovery.md`;
}
