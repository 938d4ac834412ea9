import * as z from "zod";
import { noRollbackSnapshot } from "../../../actions/container-actions.ts";
import { errorMessage, isUnavailable, TremplinError } from "../../../base/tremplin-error.ts";
import { type UndoUpgradeRequest, UndoUpgradeRequestSchema } from "../../../contract/tremplin/v1/guest_pb.js";
import { UpgradeContainerProgress_Status as Status } from "../../../contract/tremplin_pb.js";
import { instanceStatus } from "../../../engine/resources/instance.ts";
import { bindMountFiles } from "../../containers/bind-mounts.ts";
import { recordIdentity } from "../../containers/container-identity.ts";
import { deleteSnapshot } from "../../containers/delete-snapshot.ts";
import { getContainer } from "../../containers/find-container.ts";
import { upgradeFailureMessages } from "../failure-messages.ts";
import { fromPromise, withHeartbeat } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext, OperationKind } from "../runner/operation.ts";
import { abandonRollback, isBeforeRollback, resumeRollback, rollBack, rollbackSteps } from "./rollback.ts";
import { findRollbackSnapshot } from "./rollback-snapshot.ts";

/** On some pools a snapshot is a full copy, so a rollback can take long. */
const HEARTBEAT_MS = 10_000;

const steps = {
  ...rollbackSteps,
  /** Whether the container was running. */
  runs: z.enum(["yes", "no"]),
  /** The rollback snapshot. */
  snapshot: z.string(),
};
type Context = OperationContext<typeof steps>;

/** Rolls the newest upgrade of a container back. Its notices are those of an upgrade. */
export function rollbackUpgradeOperation(
  deps: OperationDeps,
): OperationKind<typeof UndoUpgradeRequestSchema, "upgradeContainerStatus", typeof steps> {
  async function rollBackUpgrade({ containerName }: UndoUpgradeRequest, context: Context) {
    const { signal } = context;
    const engine = deps.engine();
    const instance = await getContainer(engine, containerName, signal);
    const snapshot = await findRollbackSnapshot(engine, containerName, signal);
    if (!snapshot) throw new TremplinError("failed", noRollbackSnapshot(containerName));
    await recordIdentity(engine, instance, context, signal);
    const isRunning = instance.status_code === instanceStatus.running;
    await context.step("runs", isRunning ? "yes" : "no");
    await context.step("snapshot", snapshot.name);
    const files = bindMountFiles(deps.site, deps.places, containerName);
    await rollBack(engine, containerName, { snapshot: snapshot.name, files, isToRun: isRunning }, context);
    return await finish(containerName, snapshot.name, context);
  }

  /** The container is rolled back: a snapshot that cannot be deleted now expires, or is deleted later. */
  async function finish(containerName: string, snapshot: string, context: Context) {
    const { shutdownSignal } = context;
    try {
      await deleteSnapshot(deps.engine(), containerName, snapshot, shutdownSignal);
    } catch (error) {
      shutdownSignal.throwIfAborted();
      if (isUnavailable(error)) throw error;
      context.log.error({ error }, "the container is rolled back, but the snapshot could not be deleted yet");
      context.owe(`the snapshot ${snapshot} is still there: ${errorMessage(error)}`);
    }
    const line = "it was rolled back to before its upgrade";
    return { containerName, status: Status.SUCCEEDED, progressMessages: [line] };
  }

  const inProgress = (containerName: string, line: string) => ({
    containerName,
    status: Status.IN_PROGRESS,
    progressMessages: [line],
  });

  return {
    name: "undo-upgrade",
    request: UndoUpgradeRequestSchema,
    notify: "upgradeContainerStatus",
    steps,
    async *run(request, context) {
      const { containerName } = request;
      yield inProgress(containerName, `rolling ${containerName} back to before its upgrade`);
      const every = { every: HEARTBEAT_MS, clock: deps.clock };
      return yield* withHeartbeat(fromPromise(rollBackUpgrade(request, context)), every, (silence) =>
        inProgress(containerName, `still rolling it back, for ${silence / 1000} s`),
      );
    },
    ...upgradeFailureMessages,
    // Once the container carries the mark of the rollback, it is completed, unless a user has used the container.
    async recover({ containerName }, context, interruption) {
      const { snapshot, runs, undone } = context.steps;
      if (!snapshot) return undefined;
      // Either the engine did not restore the snapshot, or a user may have used the container before anything changed.
      const hasFailed = (interruption === "failure" || interruption === "cancel") && !undone;
      if (hasFailed || (interruption === "daemon" && isBeforeRollback(context))) {
        await abandonRollback(deps.engine(), containerName, context);
        return undefined;
      }
      const files = bindMountFiles(deps.site, deps.places, containerName);
      const rollback = { snapshot, files, isToRun: runs === "yes", isLive: interruption !== "daemon" };
      const failureReason = await resumeRollback(deps.engine(), containerName, rollback, context);
      if (failureReason === undefined) return await finish(containerName, snapshot, context);
      return { containerName, status: Status.FAILED, failureReason };
    },
    interrupted: ({ containerName }, cause) =>
      `${cause} before ${containerName} was rolled back; roll the upgrade back again`,
  };
}
