import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/if-missing.ts";
import { instanceStatus } from "../../engine/instance.ts";
import { settle } from "./engine-work.ts";
import { findContainer, getContainer } from "./lookup.ts";
import type { OperationContext } from "./operation.ts";

/** A snapshot for the time of one export. Disposing deletes it. */
export interface ExportSnapshot extends AsyncDisposable {
  readonly name: string;
}

/** What the snapshot of an export is called, and the image where one is made of it. */
export function exportSnapshotName(operationId: string): string {
  return `tremplin-export-${operationId}`;
}

/** The step of the journal that says that the container is paused for its snapshot. */
const PAUSED = "paused";

/**
 * Takes a snapshot of a container, running or not. Where files vanish while an engine looks through them it may
 * fail (LXD 5.0.2 on btrfs: lstat ... no such file); then the container is paused for the time of it.
 */
export async function takeSnapshot(
  engine: Engine,
  container: string,
  context: OperationContext,
): Promise<ExportSnapshot> {
  const { id, signal, log } = context;
  const name = exportSnapshotName(id);
  const create = async (): Promise<void> => {
    await (await engine.snapshots.create(container, name, { signal })).wait({ signal });
  };
  const release = async (): Promise<void> => {
    try {
      await settle(engine, container);
      await deleteSnapshot(engine, container, id);
    } catch (error) {
      // An engine that went away is waited for, and recovery deletes it then.
      if (TremplinError.from(error).code === "unavailable") throw error;
      log.error({ error, container, snapshot: name }, "the snapshot of an export could not be deleted");
    }
  };
  try {
    await create().catch(async (error) => {
      const { status_code: status } = await getContainer(engine, container, signal);
      if (status !== instanceStatus.running) throw error;
      log.info({ error }, "no snapshot could be taken while it runs: it is paused for that");
      await whilePaused(engine, container, context, create);
    });
  } catch (error) {
    await release();
    throw error;
  }
  return { name, [Symbol.asyncDispose]: release };
}

async function whilePaused(
  engine: Engine,
  container: string,
  { signal, step }: OperationContext,
  act: () => Promise<void>,
): Promise<void> {
  await step(PAUSED);
  try {
    await (await engine.instances.setState(container, { action: "freeze" }, { signal })).wait({ signal });
    await act();
  } finally {
    await resume(engine, container);
  }
}

/** Lets a container go on that an export, or one that died in the middle, has paused. */
export async function resumePaused(
  engine: Engine,
  container: string,
  { steps, signal }: OperationContext,
): Promise<void> {
  if (steps[PAUSED]) await resume(engine, container, signal);
}

async function resume(engine: Engine, container: string, signal?: AbortSignal): Promise<void> {
  await settle(engine, container, signal);
  const found = await findContainer(engine, container, signal);
  if (found?.status_code !== instanceStatus.frozen) return;
  await (await engine.instances.setState(container, { action: "unfreeze" }, { signal })).wait({ signal });
}

/** Deletes the snapshot of an export, if there is one. */
export async function deleteSnapshot(
  engine: Engine,
  container: string,
  operationId: string,
  signal?: AbortSignal,
): Promise<void> {
  const name = exportSnapshotName(operationId);
  const deletion = await engine.snapshots.delete(container, name, { signal }).catch(ifMissing);
  await deletion?.wait({ signal });
}
