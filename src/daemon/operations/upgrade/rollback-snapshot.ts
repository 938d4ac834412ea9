import { errorMessage, TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { type Instance, instanceStatus } from "../../../engine/resources/instance.ts";
import type { Snapshot } from "../../../engine/resources/snapshots.ts";
import {
  describeStranger,
  findNotedContainer,
  hasNotedContainer,
  isSetSince,
  type SameContainer,
} from "../../containers/container-identity.ts";
import { forceStop, waitForPendingOperations } from "../../containers/delete-container.ts";
import { getContainer } from "../../containers/find-container.ts";
import { markOperation, operationOf, unmarkOperation } from "../../containers/operation-mark.ts";
import type { OperationContext } from "../runner/operation.ts";

/** How long a container can be taken back after its upgrade. Milliseconds. */
const LIFETIME = 7 * 24 * 60 * 60 * 1000;
const PREFIX = "tremplin-upgrade-";
/** The step after which a container that lacks the mark of the rollback has been restored. */
const BACK = "back";
/** The step after which nothing of a rollback is left to do. */
const UNDONE = "undone";

/** The name of the snapshot that an upgrade takes before it changes anything. */
export function rollbackSnapshotName(operationId: string): string {
  return `${PREFIX}${operationId}`;
}

/** The newest snapshot that an upgrade left, if there is one. */
export async function findRollbackSnapshot(
  engine: Engine,
  container: string,
  signal?: AbortSignal,
): Promise<Snapshot | undefined> {
  const all = (await engine.snapshots.list(container, { signal }).catch(ifMissing)) ?? [];
  return all
    .filter(isRollbackSnapshot)
    .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at))[0];
}

/**
 * Whether an upgrade of ours took it: the container bore the mark of that upgrade then. Older versions set no mark,
 * but a time at which it goes.
 */
export function isRollbackSnapshot(snapshot: Snapshot): boolean {
  const { name, expires_at } = snapshot;
  const id = operationOf(snapshot);
  if (id !== undefined && name === rollbackSnapshotName(id)) return true;
  return /^tremplin-upgrade-[0-9a-f]{8}$/.test(name) && Date.parse(expires_at) > 0;
}

/** Lets the engine delete the snapshot in seven days. */
export async function setRollbackExpiry(
  engine: Engine,
  container: string,
  snapshot: string,
  now: number,
  signal?: AbortSignal,
): Promise<void> {
  await engine.snapshots.expire(container, snapshot, new Date(now + LIFETIME), { signal });
}

export interface Rollback {
  readonly snapshot: string;
  /** Whether the container is to run in the end. */
  readonly isToRun: boolean;
}

/**
 * Restores a container from the snapshot, and starts it if it is to run. Whatever runs in it is killed first, but
 * not before the snapshot was seen; what the engine still does on it is waited for. Where the restore fails, what
 * ran before runs again.
 */
export async function rollBack(
  engine: Engine,
  container: string,
  { snapshot, isToRun }: Rollback,
  context: OperationContext,
): Promise<void> {
  const { shutdownSignal: signal } = context;
  const before = await getContainer(engine, container, signal);
  if (!(await engine.snapshots.get(container, snapshot, { signal }).catch(ifMissing))) {
    throw new TremplinError(
      "failed",
      `the snapshot ${snapshot} of ${container} is gone, so the container was left as it is`,
    );
  }
  await markOperation(engine, container, markOf(context), signal);
  await context.step(BACK);
  // At once where it can be; an engine that is busy with the container is waited for first.
  const keep = { keep: true };
  await forceStop(engine, container, signal, keep).catch(() => undefined);
  await waitForPendingOperations(engine, container, signal);
  await forceStop(engine, container, signal, keep);
  try {
    await (await engine.snapshots.restore(container, snapshot, { signal })).wait({ signal });
  } catch (error) {
    signal.throwIfAborted();
    if (TremplinError.from(error).code === "unavailable") throw error;
    const runsAgain =
      before.status_code === instanceStatus.running && (await tryStart(engine, container, context));
    throw new TremplinError(
      "failed",
      `${errorMessage(error)}${runsAgain ? `; ${container} runs again as it was before that` : ""}`,
      error,
    );
  }
  await end(engine, container, { snapshot, isToRun }, context);
}

/**
 * Carries on a rollback of which it is not known how far it came, or begins it. While the operation lives (`isLive`)
 * it was itself that started the container; later it may have been anybody. Answers why it kept its hands off
 * where somebody has gone on with the container meanwhile; undefined when the container is back.
 */
export async function resumeRollback(
  engine: Engine,
  container: string,
  rollback: Rollback & { readonly isLive: boolean },
  context: OperationContext,
): Promise<string | undefined> {
  const { shutdownSignal: signal, steps } = context;
  await waitForPendingOperations(engine, container, signal);
  const noted = await findNotedContainer(engine, container, context, signal);
  if (noted.is !== "same") return steps[UNDONE] ? undefined : describeStranger(container, noted);
  const { instance, isUsedSince, isRenamed } = noted;
  if (steps[UNDONE]) {
    await unmarkOperation(engine, instance.name, upgradeOf(rollback), signal);
    return undefined;
  }
  if (!isRenamed && isRestored(instance, rollback, context)) {
    const isToRun = rollback.isToRun && (rollback.isLive || !isUsedSince);
    await end(engine, container, { ...rollback, isToRun }, context);
    return undefined;
  }
  const stranger = rollback.isLive && !isRenamed ? undefined : reasonToLeave(container, noted);
  if (stranger !== undefined) {
    await unmarkOperation(engine, instance.name, markOf(context), signal);
    return stranger;
  }
  await rollBack(engine, container, rollback, context);
  return undefined;
}

/** Whether the rollback had changed nothing yet, as far as this version wrote it down. */
export function isBeforeRollback(context: OperationContext): boolean {
  return hasNotedContainer(context) && !(BACK in context.steps);
}

/** Takes the mark of a rollback that is not begun off the container. */
export async function abandonRollback(
  engine: Engine,
  container: string,
  context: OperationContext,
): Promise<void> {
  const { shutdownSignal: signal } = context;
  await waitForPendingOperations(engine, container, signal);
  const noted = await findNotedContainer(engine, container, context, signal);
  if (noted.is === "same") await unmarkOperation(engine, noted.instance.name, markOf(context), signal);
}

/** Why a rollback is not begun or carried on: it would lose what somebody did since. */
function reasonToLeave(container: string, noted: SameContainer): string | undefined {
  const stranger = describeStranger(container, noted);
  if (stranger !== undefined || !noted.sighting) return stranger;
  const because = "so nothing more was done to it; ask again if it is still wanted";
  if (isSetSince(noted)) return `the settings of ${container} were changed since, ${because}`;
  // Set before the step, and in no snapshot but that of the rollback itself.
  const isMarked = operationOf(noted.instance) !== undefined;
  return isMarked ? undefined : `${container} was restored from another snapshot since, ${because}`;
}

/** A restored container has the configuration of the snapshot, with the mark of the upgrade; older ones had none. */
function isRestored(instance: Instance, rollback: Rollback, context: OperationContext): boolean {
  const mark = operationOf(instance);
  const isOld = mark === undefined && upgradeOf(rollback).length === 8;
  return BACK in context.steps && (isOld || mark === upgradeOf(rollback));
}

function upgradeOf({ snapshot }: Rollback): string {
  return snapshot.slice(PREFIX.length);
}

/** The mark of the upgrade goes last: where it is gone, somebody restored another snapshot. */
async function end(
  engine: Engine,
  container: string,
  rollback: Rollback,
  context: OperationContext,
): Promise<void> {
  const { shutdownSignal: signal } = context;
  const { status_code } = await getContainer(engine, container, signal);
  if (rollback.isToRun && status_code !== instanceStatus.running) {
    await (await engine.instances.setState(container, { action: "start" }, { signal })).wait({ signal });
  }
  await context.step(UNDONE);
  await unmarkOperation(engine, container, upgradeOf(rollback), signal);
}

async function tryStart(
  engine: Engine,
  container: string,
  { shutdownSignal: signal, log }: OperationContext,
): Promise<boolean> {
  try {
    await (await engine.instances.setState(container, { action: "start" }, { signal })).wait({ signal });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    log.error({ error }, "it was not restored, and could not be started again");
    return false;
  }
}

function markOf({ id }: OperationContext): string {
  return `${id}-back`;
}
