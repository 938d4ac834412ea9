import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import type { Snapshot } from "../../../engine/resources/snapshots.ts";
import { operationOf } from "../../containers/operation-mark.ts";

/** How long an upgrade can be rolled back. */
const LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;
const PREFIX = "tremplin-upgrade-";

/** The name of the snapshot that an upgrade takes before it changes anything. */
export function rollbackSnapshotName(operationId: string): string {
  return `${PREFIX}${operationId}`;
}

/** The id of the upgrade that took a rollback snapshot. */
export function upgradeOf(snapshot: string): string {
  return snapshot.slice(PREFIX.length);
}

/** The newest rollback snapshot of a container. */
export async function findRollbackSnapshot(
  engine: Engine,
  container: string,
  signal?: AbortSignal,
): Promise<Snapshot | undefined> {
  return newestRollbackSnapshot((await engine.snapshots.list(container, { signal }).catch(ifMissing)) ?? []);
}

/** The newest rollback snapshot among all snapshots of a container. */
export function newestRollbackSnapshot(all: readonly Snapshot[]): Snapshot | undefined {
  return all
    .filter(isRollbackSnapshot)
    .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at))[0];
}

/** Lets the engine delete the snapshot in seven days. `now` is in milliseconds since 1970. */
export async function setRollbackExpiry(
  engine: Engine,
  container: string,
  snapshot: string,
  now: number,
  signal?: AbortSignal,
): Promise<void> {
  await engine.snapshots.expire(container, snapshot, new Date(now + LIFETIME_MS), { signal });
}

/** Whether a snapshot carries the mark of the upgrade in its name. Older versions set no mark, but an expiry. */
export function isRollbackSnapshot(snapshot: Snapshot): boolean {
  const { name, expires_at } = snapshot;
  const id = operationOf(snapshot);
  if (id !== undefined && name === rollbackSnapshotName(id)) return true;
  return /^tremplin-upgrade-[0-9a-f]{8}$/.test(name) && Date.parse(expires_at) > 0;
}
