import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/if-missing.ts";
import { instanceStatus } from "../../engine/instance.ts";
import { findContainer } from "./lookup.ts";
import { removeStraySnapshot } from "./stray-snapshot.ts";

/**
 * Waits until the engine does nothing on an instance any more, cancelling what can be cancelled: work that a
 * daemon began and did not live to see the end of. How it ended, the instance itself tells.
 */
export async function settle(engine: Engine, instance: string, signal?: AbortSignal): Promise<void> {
  for (const operation of await engine.operations.touching(instance, { signal })) {
    if (operation.latest.may_cancel) await operation.cancel({ signal }).catch(ifMissing);
    await operation.wait({ signal }).catch((error) => {
      if (TremplinError.from(error).code === "unavailable") throw error;
    });
  }
}

/** Kills an instance that is not stopped; one that is gone or stopped meanwhile is what was wanted. */
export async function forceStop(engine: Engine, name: string, signal?: AbortSignal): Promise<void> {
  const found = await findContainer(engine, name, signal);
  if (!found || found.status_code === instanceStatus.stopped) return;
  try {
    const operation = await engine.instances.setState(name, { action: "stop", force: true }, { signal });
    await operation.wait({ signal });
  } catch (error) {
    const now = await findContainer(engine, name, signal);
    if (now && now.status_code !== instanceStatus.stopped) throw error;
  }
}

/** Makes an instance be gone: stops it by force, deletes it. One that is gone already is what was wanted. */
export async function remove(engine: Engine, name: string, signal?: AbortSignal): Promise<void> {
  await forceStop(engine, name, signal);
  try {
    await (await engine.instances.delete(name, { signal })).wait({ signal });
  } catch (error) {
    if (await findContainer(engine, name, signal)) throw error;
  }
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
  if (!deletion) await removeStraySnapshot(engine, instance, snapshot, signal);
}
