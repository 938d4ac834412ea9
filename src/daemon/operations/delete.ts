import {
  DeleteContainerRequestSchema,
  ContainerDeletionProgress_Status as Status,
} from "../../contract/tremplin_pb.js";
import { removeBindMounts } from "../containers/bind-mounts.ts";
import { reasonToKeepChanges, reasonToLeave } from "../containers/changes-since.ts";
import {
  findRecordedContainer,
  hasRecordedIdentity,
  identitySteps,
  recordIdentity,
} from "../containers/container-identity.ts";
import { forceDelete } from "../containers/delete-container.ts";
import { findContainer } from "../containers/find-container.ts";
import { waitForPendingOperations } from "../containers/pending-operations.ts";
import { failureMessages } from "./failure-messages.ts";
import type { OperationDeps } from "./operation-deps.ts";
import type { OperationKind } from "./runner/operation.ts";

/** Stops a container by force, whatever state it is in, and deletes it (docs/contract.md#deletecontainer). */
export function deleteOperation(
  deps: OperationDeps,
): OperationKind<typeof DeleteContainerRequestSchema, "updateDeletionStatus", typeof identitySteps> {
  async function finish(containerName: string, signal: AbortSignal) {
    await forceDelete(deps.engine(), containerName, signal);
    await removeBindMounts(deps.site, deps.places, containerName);
    return { containerName, status: Status.DELETED };
  }

  return {
    name: "delete",
    request: DeleteContainerRequestSchema,
    notify: "updateDeletionStatus",
    steps: identitySteps,
    async *run({ containerName }, context) {
      const engine = deps.engine();
      const found = await findContainer(engine, containerName, context.signal);
      if (found) await recordIdentity(engine, found, context, context.signal);
      return await finish(containerName, context.signal);
    },
    ...failureMessages(Status),
    // A deletion that began is completed unless a user has used the container since: the host asked for it, and half
    // of a container is worse than none.
    async recover({ containerName }, context, interruption) {
      const { signal } = context;
      const engine = deps.engine();
      await waitForPendingOperations(engine, containerName, signal);
      const match = await findRecordedContainer(engine, containerName, context, signal);
      if (match.is === "gone") {
        await removeBindMounts(deps.site, deps.places, containerName);
        return { containerName, status: Status.DELETED };
      }
      if (interruption === "cancel" || interruption === "failure") return undefined;
      // The deletion had not begun, and a user may have used the container since.
      if (!hasRecordedIdentity(context)) return undefined;
      const failureReason =
        reasonToLeave(containerName, match) ?? (await reasonToKeepChanges(engine, match, signal));
      if (failureReason) return { containerName, status: Status.FAILED, failureReason };
      return await finish(containerName, signal);
    },
    interrupted: ({ containerName }, cause) => `${cause} while it deleted ${containerName}; delete it again`,
  };
}
