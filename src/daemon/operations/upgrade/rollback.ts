import { flagText } from "../../../base/text-codecs.ts";
import { errorMessage, isUnavailable, TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { type Instance, type InstanceUpdate, instanceStatus } from "../../../engine/resources/instance.ts";
import { recordStopped } from "../../containers/autostart.ts";
import { withOwnFiles } from "../../containers/bind-mounts.ts";
import { haveSettingsChanged, LEFT_ALONE_ADVICE, reasonToLeave } from "../../containers/changes-since.ts";
import {
  findRecordedContainer,
  hasRecordedIdentity,
  identitySteps,
  type SameContainer,
} from "../../containers/container-identity.ts";
import { forceStop } from "../../containers/delete-container.ts";
import { getContainer } from "../../containers/find-container.ts";
import { markOperation, operationOf, unmarkOperation } from "../../containers/operation-mark.ts";
import { waitForPendingOperations } from "../../containers/pending-operations.ts";
import { startInstance } from "../../containers/start-instance.ts";
import type { OperationContext } from "../runner/operation.ts";
import { upgradeOf } from "./rollback-snapshot.ts";

export const rollbackSteps = {
  ...identitySteps,
  /** The container carries the mark of the rollback: once it has lost the mark, it was restored. */
  back: flagText,
  /** The rollback is complete. */
  undone: flagText,
};
type Context = OperationContext<typeof rollbackSteps>;

export interface Rollback {
  readonly snapshot: string;
  /** The mark that the snapshot carries; empty: none. Default: that of the upgrade in its name. */
  readonly mark?: string;
  /** The site's files of the container by device, see bindMountFiles. */
  readonly files: ReadonlyMap<string, string>;
  /** Whether the container is to run in the end. */
  readonly isToRun: boolean;
}

/**
 * Restores a container from the snapshot, and starts it if it is to run. Kills what runs in it, but only when the
 * snapshot exists, and waits for pending operations of the engine. Where the restore fails, starts the container again
 * if it was running.
 */
export async function rollBack(
  engine: Engine,
  container: string,
  rollback: Rollback,
  context: Context,
): Promise<void> {
  const { shutdownSignal: signal } = context;
  const { snapshot } = rollback;
  const before = await getContainer(engine, container, signal);
  if (!(await engine.snapshots.get(container, snapshot, { signal }).catch(ifMissing))) {
    throw new TremplinError(
      "failed",
      `the snapshot ${snapshot} of ${container} is gone, so the container was left as it is`,
    );
  }
  await markOperation(engine, container, markOf(context), signal);
  await context.step("back");
  // The first try may fail because the engine is busy with the container.
  const keep = { keep: true };
  await forceStop(engine, container, signal, keep).catch(() => undefined);
  await waitForPendingOperations(engine, container, signal);
  await forceStop(engine, container, signal, keep);
  try {
    await (await engine.snapshots.restore(container, snapshot, { signal })).wait({ signal });
  } catch (error) {
    signal.throwIfAborted();
    if (isUnavailable(error)) throw error;
    const wasRunning = before.status_code === instanceStatus.running;
    const runsAgain = wasRunning && (await tryStart(engine, container, context));
    throw new TremplinError(
      "failed",
      `${errorMessage(error)}${runsAgain ? `; ${container} runs again as it was before that` : ""}`,
      error,
    );
  }
  await complete(engine, container, rollback, context);
}

/**
 * Continues a rollback that was interrupted anywhere, or begins it. While the operation is live (`isLive`) only the
 * operation itself can have started the container. Returns why it left the container alone where a user has used it
 * since; undefined when the container is rolled back.
 */
export async function resumeRollback(
  engine: Engine,
  container: string,
  rollback: Rollback & { readonly isLive: boolean },
  context: Context,
): Promise<string | undefined> {
  const { shutdownSignal: signal, steps } = context;
  await waitForPendingOperations(engine, container, signal);
  const match = await findRecordedContainer(engine, container, context, signal);
  if (match.is !== "same") return steps.undone ? undefined : reasonToLeave(container, match);
  const { instance, wasUsedSince, isRenamed } = match;
  if (steps.undone) {
    await unmarkOperation(engine, instance.name, snapshotMark(rollback), signal);
    return undefined;
  }
  if (!isRenamed && isRestored(instance, rollback, context)) {
    const isToRun = rollback.isToRun && (rollback.isLive || !wasUsedSince);
    await complete(engine, container, { ...rollback, isToRun }, context);
    return undefined;
  }
  const reason = rollback.isLive && !isRenamed ? undefined : reasonNotToRollBack(container, match);
  if (reason !== undefined) {
    await unmarkOperation(engine, instance.name, markOf(context), signal);
    return reason + mixtureOf(instance, rollback, context);
  }
  await rollBack(engine, container, rollback, context);
  return undefined;
}

/** Whether the rollback had changed nothing yet. False where an older version did not record that. */
export function isBeforeRollback(context: Context): boolean {
  return hasRecordedIdentity(context) && !context.steps.back;
}

/** Removes the mark of a rollback that changed nothing, because it was not begun or the engine refused it. */
export async function abandonRollback(engine: Engine, container: string, context: Context): Promise<void> {
  const { shutdownSignal: signal } = context;
  await waitForPendingOperations(engine, container, signal);
  const match = await findRecordedContainer(engine, container, context, signal);
  if (match.is === "same") await unmarkOperation(engine, match.instance.name, markOf(context), signal);
}

/** Why a rollback is not begun or continued: it would destroy what a user has done since. */
function reasonNotToRollBack(container: string, match: SameContainer): string | undefined {
  const reason = reasonToLeave(container, match);
  if (reason !== undefined || !match.recorded) return reason;
  if (haveSettingsChanged(match))
    return `the settings of ${container} were changed since, ${LEFT_ALONE_ADVICE}`;
  // The mark is set before the step, and only the rollback snapshot carries it.
  const isMarked = operationOf(match.instance) !== undefined;
  return isMarked ? undefined : `${container} was restored from another snapshot since, ${LEFT_ALONE_ADVICE}`;
}

/**
 * What a person should know of a container that is left alone in the middle: on some pools a restore copies file by
 * file, and an engine that starts containers by itself does not wait for anybody to complete it.
 */
function mixtureOf(instance: Instance, { mark, snapshot }: Rollback, context: Context): string {
  if (!context.steps.back || operationOf(instance) !== markOf(context)) return "";
  const { name } = instance;
  const again =
    mark === undefined ? `tremplin upgrade ${name} --rollback` : `tremplin restore ${name} ${snapshot}`;
  return `; the snapshot may be restored in part, so its files may be a mix of old and new: ${again} puts that right`;
}

/** A restored container has the config of the snapshot, with its mark. Older versions set none before an upgrade. */
function isRestored(instance: Instance, rollback: Rollback, { steps }: Context): boolean {
  const mark = operationOf(instance);
  const isOld =
    mark === undefined && rollback.mark === undefined && upgradeOf(rollback.snapshot).length === 8;
  return steps.back === true && (isOld || (mark ?? "") === snapshotMark(rollback));
}

function snapshotMark({ mark, snapshot }: Rollback): string {
  return mark ?? upgradeOf(snapshot);
}

/** Removes the mark of the snapshot last: a container without it was restored from another snapshot. */
async function complete(
  engine: Engine,
  container: string,
  rollback: Rollback,
  context: Context,
): Promise<void> {
  const { shutdownSignal: signal } = context;
  const { status_code } = await getContainer(engine, container, signal);
  if (rollback.isToRun && status_code !== instanceStatus.running) {
    const change = (instance: InstanceUpdate) => ({
      ...instance,
      devices: withOwnFiles(instance.devices, rollback.files),
    });
    await engine.instances.update(container, change, { signal });
    await startInstance(engine, container, signal);
  }
  if (!rollback.isToRun) await recordStopped(engine, container, signal);
  await context.step("undone");
  await unmarkOperation(engine, container, snapshotMark(rollback), signal);
}

async function tryStart(
  engine: Engine,
  container: string,
  { shutdownSignal: signal, log }: Context,
): Promise<boolean> {
  try {
    await startInstance(engine, container, signal);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    log.error({ error }, "the container was not restored, and could not be started again");
    return false;
  }
}

function markOf({ id }: Context): string {
  return `${id}-back`;
}
