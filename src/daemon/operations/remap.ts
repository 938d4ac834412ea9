import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/if-missing.ts";
import type { Instance } from "../../engine/instance.ts";
import { isSameIdMap, parseIdMap } from "../guest/id-map.ts";
import { deleteSnapshot } from "./engine-work.ts";

/**
 * Whether the next start makes the engine change the owners of all files of a container: it ran before, and
 * its next id map is neither the one on disk nor the one it ran with (an engine that maps ids when it mounts
 * leaves the disk alone: engines.md 6). Containers without id maps need none (behaviour.md 5.4, 12 item 30).
 * `privileged` is what a start is about to set, undefined for no change.
 */
export function needsRemap(instance: Instance, privileged: boolean | undefined): boolean {
  const config = instance.expanded_config;
  const last = config["volatile.last_state.idmap"];
  const current = config["volatile.idmap.current"];
  const next = config["volatile.idmap.next"];
  if (!last || !current || !next) return false;
  const changes = privileged !== undefined && privileged !== (config["security.privileged"] === "true");
  // What the next map will be the engine only says after the change; a privileged container has none.
  if (changes) return privileged === (last !== "[]");
  const nextMap = parseIdMap(next);
  return !isSameIdMap(parseIdMap(last), nextMap) && !isSameIdMap(parseIdMap(current), nextMap);
}

/** The name of the snapshot that a container goes back to when its start was interrupted in such a change. */
function snapshotName(operationId: string): string {
  return `tremplin-remap-${operationId}`;
}

/** Takes a snapshot to go back to: a half changed tree could neither be started nor be told from a whole one. */
export async function saveBeforeRemap(
  engine: Engine,
  name: string,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  await (await engine.snapshots.create(name, snapshotName(id), { signal })).wait({ signal });
}

/** Goes back to the snapshot, if there is one, and deletes it. The container must be stopped. */
export async function undoRemap(
  engine: Engine,
  name: string,
  id: string,
  signal?: AbortSignal,
): Promise<void> {
  const snapshot = snapshotName(id);
  if (!(await engine.snapshots.get(name, snapshot, { signal }).catch(ifMissing))) return;
  await (await engine.snapshots.restore(name, snapshot, { signal })).wait({ signal });
  await forgetRemap(engine, name, id, signal);
}

/** Deletes the snapshot, if there is one. */
export async function forgetRemap(
  engine: Engine,
  name: string,
  id: string,
  signal?: AbortSignal,
): Promise<void> {
  await deleteSnapshot(engine, name, snapshotName(id), signal);
}
