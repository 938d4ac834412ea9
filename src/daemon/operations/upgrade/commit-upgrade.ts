import { KeepUpgradeRequestSchema } from "../../../contract/tremplin/v1/guest_pb.js";
import { UpgradeContainerProgress_Status as Status } from "../../../contract/tremplin_pb.js";
import { describeStranger, findNotedContainer, noteContainer } from "../../containers/container-identity.ts";
import { deleteSnapshot } from "../../containers/delete-container.ts";
import { getContainer } from "../../containers/find-container.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext, OperationKind } from "../runner/operation.ts";
import { findRollbackSnapshot } from "./rollback-snapshot.ts";
import { upgradeFailureMessages } from "./upgrade-failure.ts";

/** Gives up the ways back of a container: deletes its snapshots from before upgrades. */
export function commitUpgradeOperation(
  tools: OperationDeps,
): OperationKind<typeof KeepUpgradeRequestSchema, "upgradeContainerStatus"> {
  async function forgetAll(containerName: string, { shutdownSignal }: OperationContext) {
    const engine = tools.engine();
    for (;;) {
      const snapshot = await findRollbackSnapshot(engine, containerName, shutdownSignal);
      if (!snapshot) break;
      await deleteSnapshot(engine, containerName, snapshot.name, shutdownSignal);
    }
    const line = "it stays as it is: the way back is gone, and its space is free";
    return { containerName, status: Status.SUCCEEDED, progressMessages: [line] };
  }

  return {
    name: "keep-upgrade",
    request: KeepUpgradeRequestSchema,
    notify: "upgradeContainerStatus",
    async *run({ containerName }, context) {
      const engine = tools.engine();
      await noteContainer(
        engine,
        await getContainer(engine, containerName, context.signal),
        context,
        context.signal,
      );
      return await forgetAll(containerName, context);
    },
    ...upgradeFailureMessages,
    async recover({ containerName }, context, interruption) {
      if (interruption === "failure" || interruption === "cancel") return undefined;
      const noted = await findNotedContainer(tools.engine(), containerName, context, context.signal);
      // Working on in it is just what keeping an upgrade is for.
      if (noted.is === "same" && !noted.isRenamed) return await forgetAll(containerName, context);
      const failureReason = describeStranger(containerName, noted) ?? "";
      return { containerName, status: Status.FAILED, failureReason };
    },
    interrupted: ({ containerName }, cause) =>
      `${cause} before the snapshots of ${containerName} were deleted; try again`,
  };
}
