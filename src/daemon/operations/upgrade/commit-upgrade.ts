import { KeepUpgradeRequestSchema } from "../../../contract/tremplin/v1/guest_pb.js";
import { UpgradeContainerProgress_Status as Status } from "../../../contract/tremplin_pb.js";
import { reasonToLeave } from "../../containers/changes-since.ts";
import { findRecordedContainer, identitySteps, recordIdentity } from "../../containers/container-identity.ts";
import { deleteSnapshot } from "../../containers/delete-snapshot.ts";
import { getContainer } from "../../containers/find-container.ts";
import { upgradeFailureMessages } from "../failure-messages.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationKind } from "../runner/operation.ts";
import { findRollbackSnapshot } from "./rollback-snapshot.ts";

/** Deletes the rollback snapshots of a container. */
export function commitUpgradeOperation(
  deps: OperationDeps,
): OperationKind<typeof KeepUpgradeRequestSchema, "upgradeContainerStatus", typeof identitySteps> {
  async function deleteSnapshots(containerName: string, signal: AbortSignal) {
    const engine = deps.engine();
    for (;;) {
      const snapshot = await findRollbackSnapshot(engine, containerName, signal);
      if (!snapshot) break;
      await deleteSnapshot(engine, containerName, snapshot.name, signal);
    }
    const line = "it stays as it is: the rollback snapshot is deleted, and its space is free";
    return { containerName, status: Status.SUCCEEDED, progressMessages: [line] };
  }

  return {
    name: "keep-upgrade",
    request: KeepUpgradeRequestSchema,
    notify: "upgradeContainerStatus",
    steps: identitySteps,
    async *run({ containerName }, context) {
      const { signal, shutdownSignal } = context;
      const engine = deps.engine();
      const instance = await getContainer(engine, containerName, signal);
      await recordIdentity(engine, instance, context, signal);
      return await deleteSnapshots(containerName, shutdownSignal);
    },
    ...upgradeFailureMessages,
    async recover({ containerName }, context, interruption) {
      const { signal, shutdownSignal } = context;
      if (interruption === "failure" || interruption === "cancel") return undefined;
      const match = await findRecordedContainer(deps.engine(), containerName, context, signal);
      // Use of the container since is no reason to stop: it is why a user commits an upgrade.
      if (match.is === "same" && !match.isRenamed)
        return await deleteSnapshots(containerName, shutdownSignal);
      const failureReason = reasonToLeave(containerName, match) ?? "";
      return { containerName, status: Status.FAILED, failureReason };
    },
    interrupted: ({ containerName }, cause) =>
      `${cause} before the snapshots of ${containerName} were deleted; try again`,
  };
}
