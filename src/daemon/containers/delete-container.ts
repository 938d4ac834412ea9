import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { EngineOperation } from "../../engine/operations/engine-operation.ts";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { wasUsed } from "./container-identity.ts";
import { findContainer } from "./find-container.ts";
import { removeOrphanedSnapshot } from "./orphaned-snapshot.ts";

/** The engine's own guard against deletion. */
const PROTECTION = "security.protection.delete";

/**
 * Waits until the engine changes nothing about an instance any more: work that a daemon or an engine began and did
 * not live to see the end of. How it ended, the instance itself tells. What only looks at it (a terminal that is
 * open, somebody's backup) is not waited for.
 */
export async function waitForPendingOperations(
  engine: Engine,
  instance: string,
  signal?: AbortSignal,
): Promise<void> {
  for (const operation of await engine.operations.changing(instance, { signal })) {
    await untilEnd(operation, signal);
  }
}

/** As settle, for an instance of our own: what can be cancelled is, since nobody needs its outcome. */
export async function waitForOwnOperations(
  engine: Engine,
  instance: string,
  signal?: AbortSignal,
): Promise<void> {
  for (const operation of await engine.operations.changing(instance, { signal })) {
    if (operation.latest.may_cancel) await operation.cancel({ signal }).catch(ifMissing);
    await untilEnd(operation, signal);
  }
}

async function untilEnd(operation: EngineOperation, signal: AbortSignal | undefined): Promise<void> {
  await operation.wait({ signal }).catch((error) => {
    signal?.throwIfAborted();
    if (TremplinError.from(error).code === "unavailable") throw error;
  });
}

/**
 * Kills an instance that is not stopped; one that is gone or stopped meanwhile is what was wanted. With `keep`, one
 * that the engine would delete when it stops (an ephemeral one) is made to stay first.
 */
export async function forceStop(
  engine: Engine,
  name: string,
  signal?: AbortSignal,
  { keep = false } = {},
): Promise<void> {
  const found = await findContainer(engine, name, signal);
  if (!found || found.status_code === instanceStatus.stopped) return;
  if (keep && found.ephemeral) {
    await engine.instances.update(name, (instance) => ({ ...instance, ephemeral: false }), { signal });
  }
  try {
    const operation = await engine.instances.setState(name, { action: "stop", force: true }, { signal });
    await operation.wait({ signal });
  } catch (error) {
    const now = await findContainer(engine, name, signal);
    if (now && now.status_code !== instanceStatus.stopped) throw error;
  }
}

/**
 * Makes an instance be gone: stops it by force, deletes it. One that is gone already is what was wanted. Throws
 * `failed`, before anything is done to it, for one that its owner protects against that.
 */
export async function forceDelete(engine: Engine, name: string, signal?: AbortSignal): Promise<void> {
  const found = await findContainer(engine, name, signal);
  if (!found) return;
  checkUnprotected(found);
  await forceStop(engine, name, signal);
  try {
    await (await engine.instances.delete(name, { signal })).wait({ signal });
  } catch (error) {
    if (await findContainer(engine, name, signal)) throw error;
  }
}

/**
 * Deletes an instance that never ran. False, and it stays, for one that somebody started, be it at this very moment:
 * nothing is stopped here. What is an operation's own (`own`) goes also where a profile protects all against that.
 */
export async function deleteUnused(
  engine: Engine,
  name: string,
  signal?: AbortSignal,
  { own = false } = {},
): Promise<boolean> {
  const found = await findContainer(engine, name, signal);
  if (!found) return true;
  if (wasUsed(found)) return false;
  if (own && isProtected(found)) await unprotect(engine, name, signal);
  else checkUnprotected(found);
  try {
    await (await engine.instances.delete(name, { signal })).wait({ signal });
  } catch (error) {
    const now = await findContainer(engine, name, signal);
    if (now && (wasUsed(now) || now.status_code !== instanceStatus.stopped)) return false;
    if (now) throw error;
  }
  return true;
}

async function unprotect(engine: Engine, name: string, signal: AbortSignal | undefined): Promise<void> {
  await engine.instances.update(
    name,
    (instance) => ({ ...instance, config: { ...instance.config, [PROTECTION]: "false" } }),
    { signal },
  );
}

function isProtected({ expanded_config }: Instance): boolean {
  return expanded_config[PROTECTION] === "true";
}

/** Throws `failed` for a container that the engine refuses to delete. */
export function checkUnprotected(instance: Instance): void {
  if (!isProtected(instance)) return;
  throw new TremplinError(
    "failed",
    `${instance.name} is protected against deletion (${PROTECTION} is true): set that to false if it may go, and try again`,
  );
}

/** Deletes a snapshot of an instance, and what a failed one left; one that is gone already is what was wanted. */
export async function deleteSnapshot(
  engine: Engine,
  instance: string,
  snapshot: string,
  signal?: AbortSignal,
): Promise<void> {
  const deletion = await engine.snapshots.delete(instance, snapshot, { signal }).catch(ifMissing);
  await deletion?.wait({ signal });
  if (!deletion) await removeOrphanedSnapshot(engine, instance, snapshot, signal);
}
