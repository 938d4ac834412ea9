import { flagText, jsonText } from "../../../base/text-codecs.ts";
import { isUnavailable, TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { type Instance, instanceStatus } from "../../../engine/resources/instance.ts";
import type { Config } from "../../../engine/resources/pools.ts";
import type { Snapshot } from "../../../engine/resources/snapshots.ts";
import { identitySteps, type SameContainer } from "../../containers/container-identity.ts";
import {
  applySettings,
  settingsOf,
  settingsSchema,
  settingsText,
} from "../../containers/container-settings.ts";
import { deleteSnapshot } from "../../containers/delete-snapshot.ts";
import { operationOf, unmarkOperation } from "../../containers/operation-mark.ts";
import { isSameIdMap, parseIdMap } from "../../guest/id-map.ts";
import type { OperationContext } from "../runner/operation.ts";

export const startSteps = {
  ...identitySteps,
  /** The snapshot before an id shift is whole. */
  saved: flagText,
  /** The settings of the container while its files are being restored. */
  settings: jsonText(settingsSchema),
};
type Context = OperationContext<typeof startSteps>;

/** The id map of files that have the owners that the container sees. */
const UNSHIFTED = "[]";
/** The engine's own protection against an id shift. */
const SHIFT_PROTECTION = "security.protection.shift";
/** How long a snapshot stays that may still be needed. */
const SNAPSHOT_LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;
const FILE_TIMEOUT_MS = 10_000;

/**
 * Whether the next start of a container needs an id shift: its next id map is neither the one on disk nor the one it ran
 * with (an engine that maps ids when it mounts leaves the disk alone). Copies, imports and restored containers do not
 * say with which one they ran. Containers without id maps need no shift.
 */
export function shiftsIds({ expanded_config }: Instance): boolean {
  const { last, current, next } = idMapsOf(expanded_config);
  if (!last || !next) return false;
  const nextMap = parseIdMap(next);
  if (isSameIdMap(parseIdMap(last), nextMap)) return false;
  return !current || !isSameIdMap(parseIdMap(current), nextMap);
}

/**
 * Whether the next start is REMAPPING in the contract's sense: the container ran before and now needs an id shift.
 * `privileged` is the privilege that the start is about to set, undefined for no change.
 */
export function needsIdShift(instance: Instance, privileged: boolean | undefined): boolean {
  const config = instance.expanded_config;
  const { last, current, next } = idMapsOf(config);
  const ranBefore = current !== undefined || (last !== undefined && last !== UNSHIFTED);
  if (!ranBefore || !last || !next) return false;
  const changes = privileged !== undefined && privileged !== (config["security.privileged"] === "true");
  // The engine names the next id map only after the change. A privileged container has none.
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

/** Throws `failed` for a container that needs an id shift and is protected against it. */
export function checkMayShiftIds(instance: Instance, privileged: boolean | undefined): void {
  if (instance.expanded_config[SHIFT_PROTECTION] !== "true" || !needsIdShift(instance, privileged)) return;
  throw new TremplinError(
    "failed",
    `starting ${instance.name} like that changes the owners of all its files, which it is protected against (${SHIFT_PROTECTION} is true): set that to false to allow it, and try again`,
  );
}

/** The name of the snapshot that a container is rolled back to when its id shift was interrupted. */
function snapshotName(operationId: string): string {
  return `tremplin-remap-${operationId}`;
}

/** Half shifted files can neither be used nor be distinguished from whole ones, so an interrupted id shift needs a snapshot. */
export async function snapshotBeforeIdShift(
  engine: Engine,
  name: string,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  await (await engine.snapshots.create(name, snapshotName(id), { signal })).wait({ signal });
}

/**
 * Recovers from an interrupted id shift. Restores the snapshot where the engine did not complete the shift and nobody
 * has used the container or restored another snapshot since; otherwise leaves the files alone. Returns a sentence for
 * people where the snapshot stays because it may still be needed. `now` is in milliseconds since 1970.
 */
export async function rollBackIdShift(
  engine: Engine,
  { instance, wasUsedSince, recorded }: SameContainer,
  context: Context,
  now: number,
): Promise<string | undefined> {
  const { id, signal, log } = context;
  const { name, config } = instance;
  const snapshot = snapshotName(id);
  const found = await engine.snapshots.get(name, snapshot, { signal }).catch(ifMissing);
  if (!found) {
    log.warn("the snapshot from before the id shift is gone: leaving the container as it is");
    await unmarkOperation(engine, name, id, signal);
    return undefined;
  }
  // An older version of this program recorded neither.
  const hasOldMap = !recorded || (config["volatile.last_state.idmap"] ?? "") === recorded.idMap;
  const isMarked = !recorded || operationOf(instance) === id;
  if (hasOldMap && isMarked && !wasUsedSince && instance.status_code === instanceStatus.stopped) {
    await restoreFiles(engine, instance, found, context);
    await discardIdShiftSnapshot(engine, name, id, signal);
    return undefined;
  }
  if (hasOldMap && isMarked && !wasUsedSince && !hasStarted(instance)) {
    throw new TremplinError(
      "failed",
      `${name} is ${instance.status.toLowerCase()} after a change of the owners of its files that did not end; stop it, and it is rolled back to its snapshot ${snapshot}`,
    );
  }
  if (wasUsedSince && isMarked && !(await isRootOwnedByRoot(engine, name, signal))) {
    await engine.snapshots.expire(name, snapshot, new Date(now + SNAPSHOT_LIFETIME_MS), { signal });
    await unmarkOperation(engine, name, id, signal);
    return `${name} was started again while the owners of its files were half changed, so they may be wrong; its snapshot ${snapshot} holds it as it was before and is kept for seven days`;
  }
  await discardIdShiftSnapshot(engine, name, id, signal);
  return undefined;
}

/** The engine starts a container only after its id shift is complete. */
function hasStarted({ status_code }: Instance): boolean {
  return status_code === instanceStatus.running || status_code === instanceStatus.frozen;
}

/** Restores the files of a snapshot, and keeps the settings that a user changed since. */
async function restoreFiles(
  engine: Engine,
  instance: Instance,
  snapshot: Snapshot,
  { signal, steps, step }: Context,
): Promise<void> {
  const { name } = instance;
  const isChanged = settingsText(instance) !== settingsText(snapshot);
  if (isChanged) await step("settings", settingsOf(instance));
  await (await engine.snapshots.restore(name, snapshot.name, { signal })).wait({ signal });
  const settings = isChanged ? settingsOf(instance) : steps.settings;
  if (settings !== undefined) await applySettings(engine, name, settings, signal);
}

/** The engine shifts the root first: after a second shift over half of a first one, its owner is unknown to the container. */
async function isRootOwnedByRoot(engine: Engine, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    using files = await engine.fileSession(name, { signal, timeoutMs: FILE_TIMEOUT_MS });
    return (await files.stat("/")).uid === 0;
  } catch (error) {
    signal.throwIfAborted();
    if (isUnavailable(error)) throw error;
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
