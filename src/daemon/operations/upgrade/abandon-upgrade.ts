import { errorMessage, isUnavailable } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { bindMountFiles } from "../../containers/bind-mounts.ts";
import { unfreezeAfterSnapshot } from "../../containers/consistent-snapshot.ts";
import { findRecordedContainer } from "../../containers/container-identity.ts";
import { deleteSnapshot } from "../../containers/delete-snapshot.ts";
import { unmarkOperation } from "../../containers/operation-mark.ts";
import { waitForPendingOperations } from "../../containers/pending-operations.ts";
import { removeSimulation } from "../../upgrade/simulation-folder.ts";
import type { UpgradeReport } from "../../upgrade/upgrade-report.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { UpgradeContext } from "./perform-upgrade.ts";
import { retryWhileEngineUnavailable } from "./retry-while-unavailable.ts";
import { abandonRollback, resumeRollback } from "./rollback.ts";
import { rollbackSnapshotName, setRollbackExpiry } from "./rollback-snapshot.ts";

interface Abandoned {
  readonly name: string;
  /** Why the upgrade failed. */
  readonly reason: string;
  readonly context: UpgradeContext;
  /** Undefined where nobody reads the upgrade's output any more. */
  readonly report?: UpgradeReport;
  /** Whether the operation is live: only the upgrade can have used the container since. */
  readonly isLive: boolean;
}

/**
 * Rolls a failed upgrade back where it changed anything. Returns the reason of the failure with what became of the
 * container.
 */
export async function abandonUpgrade(deps: OperationDeps, upgrade: Abandoned): Promise<string> {
  const { name, reason, context, report, isLive } = upgrade;
  const { id, shutdownSignal, steps } = context;
  const onWait = (why: string) => report?.say(`waiting for the engine, to roll ${name} back: ${why}`);
  if (steps.saved) {
    const files = bindMountFiles(deps.site, deps.places, name);
    const rollback = { snapshot: rollbackSnapshotName(id), files, isToRun: true, isLive };
    try {
      await report?.begin("rolling it back", 0);
      const reasonToLeave = await retryWhileEngineUnavailable(
        deps,
        shutdownSignal,
        (engine) => resumeRollback(engine, name, rollback, context),
        onWait,
      );
      if (reasonToLeave !== undefined) {
        return await keepSnapshot(deps, { ...upgrade, reason: `${reason}; ${reasonToLeave}` });
      }
    } catch (error) {
      shutdownSignal.throwIfAborted();
      if (isUnavailable(error)) throw error;
      await retryWhileEngineUnavailable(
        deps,
        shutdownSignal,
        (engine) => abandonRollback(engine, name, context),
        onWait,
      );
      return rollbackFailed(upgrade, error);
    }
  }
  await removeTraces(deps, name, context, onWait);
  return `${reason}; ${steps.saved ? `${name} was rolled back to before the upgrade and runs` : "nothing in it was changed"}`;
}

function rollbackFailed({ name, reason, context }: Abandoned, error: unknown): string {
  context.log.error({ error }, "the rollback of the upgrade failed");
  context.setFailureCode("rollback-failed");
  const snapshot = rollbackSnapshotName(context.id);
  const advice = `its snapshot ${snapshot} holds it as it was: try tremplin upgrade ${name} --rollback`;
  return `${reason}; the rollback failed: ${errorMessage(error)}; ${advice}`;
}

/** The container is as it was before the upgrade. What cannot be deleted now is owed. */
async function removeTraces(
  deps: OperationDeps,
  name: string,
  context: UpgradeContext,
  onWait: (reason: string) => unknown,
): Promise<void> {
  const { id, shutdownSignal, steps } = context;
  const snapshot = rollbackSnapshotName(id);
  const remove = async (engine: Engine): Promise<void> => {
    await waitForPendingOperations(engine, name, shutdownSignal);
    const match = await findRecordedContainer(engine, name, context, shutdownSignal);
    if (match.is !== "same") return;
    const { name: now } = match.instance;
    if (!match.wasUsedSince) await unfreezeAfterSnapshot(engine, now, steps, shutdownSignal);
    await deleteSnapshot(engine, now, snapshot, shutdownSignal);
    await unmarkOperation(engine, now, id, shutdownSignal).catch(ifMissing);
  };
  try {
    await retryWhileEngineUnavailable(deps, shutdownSignal, remove, onWait);
    if (!steps.saved) await removeSimulation(deps.engine(), name);
  } catch (error) {
    shutdownSignal.throwIfAborted();
    if (isUnavailable(error)) throw error;
    context.log.error(
      { error },
      "the container is as it was before, but its snapshot could not be deleted yet",
    );
    context.owe(`the snapshot ${snapshot} is still there: ${errorMessage(error)}`);
  }
}

/** A user has used the container since: it is left alone, and its snapshot stays for seven days. */
async function keepSnapshot(deps: OperationDeps, { name, reason, context }: Abandoned): Promise<string> {
  const { id, shutdownSignal: signal } = context;
  const engine = deps.engine();
  const snapshot = rollbackSnapshotName(id);
  const match = await findRecordedContainer(engine, name, context, signal);
  if (match.is !== "same") return reason;
  const { name: now } = match.instance;
  if (!(await engine.snapshots.get(now, snapshot, { signal }).catch(ifMissing))) return reason;
  await setRollbackExpiry(engine, now, snapshot, deps.clock.now(), signal);
  await unmarkOperation(engine, now, id, signal);
  return `${reason}; for seven days its snapshot ${snapshot} holds it as it was before the upgrade: tremplin upgrade ${now} --rollback restores it`;
}
