import { join } from "node:path";
import { canAccess } from "../../base/files/files.ts";
import { isUnavailable, TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import {
  BROKEN_DATABASE,
  checkDatabaseSpace,
  findDatabaseFault,
  waitUntilStuckOnDatabase,
} from "./database-reset/database-fault.ts";
import { ImageGuard } from "./database-reset/image-guard.ts";
import { findPool } from "./database-reset/pool-on-disk.ts";
import { beginReset, completeReset, resumeReset } from "./database-reset/run-reset.ts";
import type { PreparedEngine } from "./engine-state.ts";
import type { ManagedEngine } from "./process/managed-engine.ts";
import { hasPool, type ManagedLaunch, startPrepared } from "./start-prepared.ts";

/**
 * Launches the managed engine with its database, or resets that (docs/contract.md#database-reset): when a reset is
 * wanted or was interrupted, and when the database is lost, or broken by the engine's own account
 * (docs/decisions/0009-database-reset.md).
 */
export async function launchManagedEngine(launch: ManagedLaunch): Promise<PreparedEngine> {
  const { managed, reset } = launch;
  if (!(await managed.isRunning())) await checkDatabaseSpace(managed.folder);
  await resumeReset(launch);
  if (!reset.phase) {
    const engine = await launchOrBeginReset(launch);
    if (engine) return { engine, remark: "" };
  }
  return await completeReset(launch);
}

/** The engine with its own database; undefined once a reset has begun. */
async function launchOrBeginReset(launch: ManagedLaunch): Promise<Engine | undefined> {
  const { managed, report, log } = launch;
  const guard = new ImageGuard(managed.folder, managed.layout, log);
  const isStarting = !(await managed.isRunning());
  if (isStarting) await guard.raise();
  if (await launch.wantsReset()) {
    report({ status: "resetting", step: "saving" });
    if (isStarting) await startWithOldDatabase(launch);
    await beginReset(launch);
    await launch.onResetBegun();
    return undefined;
  }
  const fault = await findFault(launch);
  if (fault !== undefined) {
    const reason = `${fault}; a new one is created, and the containers are restored into it`;
    report({ status: "resetting", step: "saving", reason });
    await beginReset(launch);
    return undefined;
  }
  const { engine } = await startPrepared(launch);
  await guard.lower();
  return engine;
}

/**
 * Starts the engine with the database that will be reset, because its config backup may be older than what a person
 * changed while no daemon ran. An engine that does not start is what the reset is for.
 */
async function startWithOldDatabase(launch: ManagedLaunch): Promise<void> {
  const { managed, log, signal } = launch;
  if (!(await canAccess(join(managed.folder, managed.layout.globalDatabase)))) return;
  try {
    await findFault(launch);
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ error }, "the engine does not start with the database that will be reset");
  }
}

/** Starts the engine. Returns the fault of its database that a reset fixes; throws another reason why it does not start. */
async function findFault({ managed, connect, clock, signal }: ManagedLaunch): Promise<string | undefined> {
  const found = new AbortController();
  const stuck = waitUntilStuckOnDatabase(managed, clock, AbortSignal.any([signal, found.signal]));
  try {
    const address = await Promise.race([managed.start(), stuck]);
    if (!address) return BROKEN_DATABASE;
    await using engine = await connect(address);
    const isLost = !(await hasPool(engine, signal)) && (await findPool(managed.folder, managed.layout));
    return isLost ? "the engine's database is empty, and there is a pool of containers" : undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    return await faultOf(managed, TremplinError.from(thrown));
  } finally {
    stuck.catch(() => undefined);
    found.abort();
  }
}

async function faultOf(managed: ManagedEngine, error: TremplinError): Promise<string | undefined> {
  // It is started again, and startPrepared repeats its work.
  if (isUnavailable(error)) return undefined;
  const fault = findDatabaseFault(await managed.logTail());
  if (!fault || !managed.gaveUpError) throw error;
  if (fault.isFixedByReset) return fault.sentence;
  throw new TremplinError("failed", `${fault.sentence} (${error.message})`, error);
}
