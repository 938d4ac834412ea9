import type { Logger } from "../../base/logger.ts";
import { flagText } from "../../base/text-codecs.ts";
import type { Engine } from "../../engine/engine.ts";
import { instanceStatus } from "../../engine/resources/instance.ts";
import { removeOrphanedSnapshot } from "./delete-snapshot.ts";
import { findContainer, getContainer } from "./find-container.ts";
import { waitForPendingOperations } from "./pending-operations.ts";

/** The journal step that says that the container is frozen for its snapshot. */
export const snapshotSteps = { paused: flagText };

/** What is needed of an operation that takes a snapshot. */
interface SnapshotContext {
  readonly signal: AbortSignal;
  readonly shutdownSignal: AbortSignal;
  readonly log: Logger;
  step(name: "paused"): Promise<void>;
}

/**
 * Takes a consistent snapshot of a container, running or not. Where files vanish while the engine copies them it may
 * fail (LXD 5.0.2 on btrfs: lstat ... no such file); then the container is frozen meanwhile, and the operation's
 * recovery must call `unfreezeAfterSnapshot`.
 */
export async function takeConsistentSnapshot(
  engine: Engine,
  container: string,
  snapshot: string,
  context: SnapshotContext,
  expiresAt?: Date,
): Promise<void> {
  const { signal, log } = context;
  const create = async (): Promise<void> => {
    await (await engine.snapshots.create(container, snapshot, { signal, expiresAt })).wait({ signal });
  };
  try {
    await create();
  } catch (error) {
    await removeOrphanedSnapshot(engine, container, snapshot, signal);
    const { status_code: status } = await getContainer(engine, container, signal);
    if (status !== instanceStatus.running) throw error;
    log.info({ error }, "no snapshot could be taken of the running container: freezing it");
    await whileFrozen(engine, container, context, create);
  }
}

/** Unfreezes a container that an operation froze for a snapshot before it was interrupted. */
export async function unfreezeAfterSnapshot(
  engine: Engine,
  container: string,
  steps: { readonly paused?: true },
  signal: AbortSignal,
): Promise<void> {
  if (steps.paused) await unfreeze(engine, container, signal);
}

async function whileFrozen(
  engine: Engine,
  container: string,
  { signal, shutdownSignal, step }: SnapshotContext,
  act: () => Promise<void>,
): Promise<void> {
  await step("paused");
  try {
    await (await engine.instances.setState(container, { action: "freeze" }, { signal })).wait({ signal });
    await act();
  } finally {
    await unfreeze(engine, container, shutdownSignal);
  }
}

async function unfreeze(engine: Engine, container: string, signal: AbortSignal): Promise<void> {
  await waitForPendingOperations(engine, container, signal);
  const found = await findContainer(engine, container, signal);
  if (found?.status_code !== instanceStatus.frozen) return;
  await (await engine.instances.setState(container, { action: "unfreeze" }, { signal })).wait({ signal });
}
