import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/if-missing.ts";
import type { Snapshot } from "../../engine/snapshots.ts";
import { forceStop, settle } from "./engine-work.ts";
import { getContainer } from "./lookup.ts";

/** How long a container can be taken back after its upgrade. Milliseconds. */
const LIFETIME = 7 * 24 * 60 * 60 * 1000;
const PREFIX = "tremplin-upgrade-";

/** The name of the snapshot that an upgrade takes before it changes anything. */
export function wayBackName(operationId: string): string {
  return `${PREFIX}${operationId}`;
}

/** The newest snapshot that an upgrade left, if there is one. */
export async function findWayBack(
  engine: Engine,
  container: string,
  signal?: AbortSignal,
): Promise<Snapshot | undefined> {
  const all = (await engine.snapshots.list(container, { signal }).catch(ifMissing)) ?? [];
  return all
    .filter(({ name }) => name.startsWith(PREFIX))
    .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at))[0];
}

/** Lets the engine delete the snapshot in seven days. */
export async function limitWayBack(
  engine: Engine,
  container: string,
  snapshot: string,
  now: number,
  signal?: AbortSignal,
): Promise<void> {
  await engine.snapshots.expire(container, snapshot, new Date(now + LIFETIME), { signal });
}

/**
 * Puts a container back to the snapshot, and starts it if it is to run. Whatever runs in it is killed first; what
 * the engine still does on it is waited for. Can be repeated at any point.
 */
export async function goBack(
  engine: Engine,
  container: string,
  { snapshot, isToRun, signal }: { snapshot: string; isToRun: boolean; signal: AbortSignal },
): Promise<void> {
  await getContainer(engine, container, signal);
  // At once where it can be; an engine that is busy with the container is waited for first.
  await forceStop(engine, container, signal).catch(() => undefined);
  await settle(engine, container, signal);
  await forceStop(engine, container, signal);
  await (await engine.snapshots.restore(container, snapshot, { signal })).wait({ signal });
  if (!isToRun) return;
  await (await engine.instances.setState(container, { action: "start" }, { signal })).wait({ signal });
}
