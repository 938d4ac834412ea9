import type { Engine } from "../../engine/engine.ts";
import { instanceStatus } from "../../engine/resources/instance.ts";
import type { Steps } from "../notices/journal.ts";
import type { OperationContext } from "../operations/runner/operation.ts";
import { waitForPendingOperations } from "./delete-container.ts";
import { findContainer, getContainer } from "./find-container.ts";
import { removeOrphanedSnapshot } from "./orphaned-snapshot.ts";

/** The step of the journal that says that the container is paused for its snapshot. */
const PAUSED = "paused";

/**
 * Takes a snapshot of a container, running or not; when this has resolved it is whole. Where files vanish while an
 * engine looks through them it may fail (LXD 5.0.2 on btrfs: lstat ... no such file); then the container is paused
 * for the time of it. Whoever recovers the operation calls `resumePaused`.
 */
export async function takeConsistentSnapshot(
  engine: Engine,
  container: string,
  snapshot: string,
  context: OperationContext,
): Promise<void> {
  const { signal, log } = context;
  const create = async (): Promise<void> => {
    await (await engine.snapshots.create(container, snapshot, { signal })).wait({ signal });
  };
  try {
    await create();
  } catch (error) {
    await removeOrphanedSnapshot(engine, container, snapshot, signal);
    const { status_code: status } = await getContainer(engine, container, signal);
    if (status !== instanceStatus.running) throw error;
    log.info({ error }, "no snapshot could be taken while it runs: it is paused for that");
    await whilePaused(engine, container, context, create);
  }
}

/** Lets a container go on that an operation, which died in the middle, has paused. */
export async function resumePaused(
  engine: Engine,
  container: string,
  steps: Steps,
  signal: AbortSignal,
): Promise<void> {
  if (steps[PAUSED]) await resume(engine, container, signal);
}

async function whilePaused(
  engine: Engine,
  container: string,
  { signal, shutdownSignal, step }: OperationContext,
  act: () => Promise<void>,
): Promise<void> {
  await step(PAUSED);
  try {
    await (await engine.instances.setState(container, { action: "freeze" }, { signal })).wait({ signal });
    await act();
  } finally {
    await resume(engine, container, shutdownSignal);
  }
}

async function resume(engine: Engine, container: string, signal: AbortSignal): Promise<void> {
  await waitForPendingOperations(engine, container, signal);
  const found = await findContainer(engine, container, signal);
  if (found?.status_code !== instanceStatus.frozen) return;
  await (await engine.instances.setState(container, { action: "unfreeze" }, { signal })).wait({ signal });
}
