import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { type Instance, instanceStatus } from "../../../engine/resources/instance.ts";
import type { Config } from "../../../engine/resources/pools.ts";
import type { Snapshot } from "../../../engine/resources/snapshots.ts";
import type { SameContainer } from "../../containers/container-identity.ts";
import { applySettings, settingsText } from "../../containers/container-settings.ts";
import { deleteSnapshot } from "../../containers/delete-container.ts";
import { operationOf, unmarkOperation } from "../../containers/operation-mark.ts";
import { isSameIdMap, parseIdMap } from "../../guest/id-map.ts";
import type { OperationContext } from "../runner/operation.ts";

/** The step that keeps the settings of a container while its files are restored. */
const SETTINGS = "settings";
/** The id map of files that have the owners that the container sees. */
const UNSHIFTED = "[]";
/** The engine's own guard against a change of owners. */
const SHIFT_PROTECTION = "security.protection.shift";
/** How long a snapshot stays that may still be needed. Milliseconds. */
const KEPT = 7 * 24 * 60 * 60 * 1000;
/** For one look into a container. Milliseconds. */
const LOOK_LIMIT = 10_000;

/**
 * Whether the next start makes the engine change the owners of all files of a container: its next id map is neither
 * the one on disk nor the one it ran with (an engine that maps ids when it mounts leaves the disk alone). Copies,
 * imports and restored containers do not say with which they ran. Containers without id maps need none.
 */
export function shiftsIds({ expanded_config }: Instance): boolean {
  const { last, current, next } = idMapsOf(expanded_config);
  if (!last || !next) return false;
  const nextMap = parseIdMap(next);
  if (isSameIdMap(parseIdMap(last), nextMap)) return false;
  return !current || !isSameIdMap(parseIdMap(current), nextMap);
}

/**
 * Whether that is a remap in the sense of the contract: the container ran before, and has to get other owners. `privileged`
 * is what a start is about to set, undefined for no change.
 */
export function needsIdShift(instance: Instance, privileged: boolean | undefined): boolean {
  const config = instance.expanded_config;
  const { last, current, next } = idMapsOf(config);
  const ranBefore = current !== undefined || (last !== undefined && last !== UNSHIFTED);
  if (!ranBefore || !last || !next) return false;
  const changes = privileged !== undefined && privileged !== (config["security.privileged"] === "true");
  // What the next map will be the engine only says after the change; a privileged container has none.
  if (changes) return privileged === (last !== UNSHIFTED);
  return shiftsIds(instance);
}

function idMapsOf(config: Config) {
  return {
    last: config["volatile.last_state.idmap"],
    current: config["volatile.idmap.current"],
    next: config["volatile.idmap.next"],
  };
}

/** Throws `failed` where the next start would have to change owners and the engine is told never to do that. */
export function checkMayShiftIds(instance: Instance, privileged: boolean | undefined): void {
  if (instance.expanded_config[SHIFT_PROTECTION] !== "true" || !needsIdShift(instance, privileged)) return;
  throw new TremplinError(
    "failed",
    `starting ${instance.name} like that changes the owners of all its files, which it is protected against (${SHIFT_PROTECTION} is true): set that to false if they may change, and try again`,
  );
}

/** The name of the snapshot that a container goes back to when its start was interrupted in such a change. */
function snapshotName(operationId: string): string {
  return `tremplin-remap-${operationId}`;
}

/** Takes a snapshot to go back to: a half changed tree could neither be started nor be told from a whole one. */
export async function snapshotBeforeIdShift(
  engine: Engine,
  name: string,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  await (await engine.snapshots.create(name, snapshotName(id), { signal })).wait({ signal });
}

/**
 * Ends a change of owners that was interrupted. Where the engine did not get through it, and nobody used the
 * container or put it back to another snapshot since, the container goes back to the snapshot: half changed it could
 * neither be started nor be told from a whole one. Else its files are left alone. Answers what a person should know,
 * where the snapshot stays because it may still be needed. `now` is in milliseconds since 1970: days may have passed.
 */
export async function rollBackIdShift(
  engine: Engine,
  { instance, isUsedSince, sighting }: SameContainer,
  context: OperationContext,
  now: number,
): Promise<string | undefined> {
  const { id, signal, log } = context;
  const { name, config } = instance;
  const snapshot = snapshotName(id);
  const found = await engine.snapshots.get(name, snapshot, { signal }).catch(ifMissing);
  if (!found) {
    log.warn("the snapshot of before the change of owners is gone: the container is left as it is");
    await unmarkOperation(engine, name, id, signal);
    return undefined;
  }
  // An older version of this program wrote down neither.
  const isMapOfThen = !sighting || (config["volatile.last_state.idmap"] ?? "") === sighting.idMap;
  const isMarked = !sighting || operationOf(instance) === id;
  if (isMapOfThen && isMarked && !isUsedSince && instance.status_code === instanceStatus.stopped) {
    await restoreFiles(engine, instance, found, context);
    await discardIdShiftSnapshot(engine, name, id, signal);
    return undefined;
  }
  if (isMapOfThen && isMarked && !isUsedSince && !isUp(instance)) {
    throw new TremplinError(
      "failed",
      `${name} is ${instance.status.toLowerCase()} after a change of the owners of its files that did not end; stop it, and it is put back to its snapshot ${snapshot}`,
    );
  }
  if (isUsedSince && isMarked && !(await isRootOwnedByRoot(engine, name, signal))) {
    await engine.snapshots.expire(name, snapshot, new Date(now + KEPT), { signal });
    await unmarkOperation(engine, name, id, signal);
    return `${name} was started again while the owners of its files were half changed, so they may be wrong; its snapshot ${snapshot} holds it as it was before and is kept for seven days`;
  }
  await discardIdShiftSnapshot(engine, name, id, signal);
  return undefined;
}

/** What runs the engine got through. */
function isUp({ status_code }: Instance): boolean {
  return status_code === instanceStatus.running || status_code === instanceStatus.frozen;
}

/** Restores a snapshot, and keeps what somebody set in the container since that was taken. */
async function restoreFiles(
  engine: Engine,
  instance: Instance,
  snapshot: Snapshot,
  { signal, steps, step }: OperationContext,
): Promise<void> {
  const { name } = instance;
  const now = settingsText(instance);
  if (now !== settingsText(snapshot)) await step(SETTINGS, now);
  await (await engine.snapshots.restore(name, snapshot.name, { signal })).wait({ signal });
  const settings = now === settingsText(snapshot) ? steps[SETTINGS] : now;
  if (settings !== undefined) await applySettings(engine, name, settings, signal);
}

/** The root is changed first: after a second change over half of a first one it is nobody's that the container knows. */
async function isRootOwnedByRoot(engine: Engine, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    using files = await engine.fileSession(name, { signal, timeoutMs: LOOK_LIMIT });
    return (await files.stat("/")).uid === 0;
  } catch (error) {
    signal.throwIfAborted();
    if (TremplinError.from(error).code === "unavailable") throw error;
    return false;
  }
}

/** Deletes the snapshot and the mark, if they are there. */
export async function discardIdShiftSnapshot(
  engine: Engine,
  name: string,
  id: string,
  signal?: AbortSignal,
): Promise<void> {
  await deleteSnapshot(engine, name, snapshotName(id), signal);
  await unmarkOperation(engine, name, id, signal);
}
