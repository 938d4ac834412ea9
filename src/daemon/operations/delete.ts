import {
  DeleteContainerRequestSchema,
  ContainerDeletionProgress_Status as Status,
} from "../../contract/tremplin_pb.js";
import { removeBindMounts } from "../containers/bind-mounts.ts";
import {
  changeSince,
  describeStranger,
  findNotedContainer,
  hasNotedContainer,
  noteContainer,
} from "../containers/container-identity.ts";
import { forceDelete, waitForPendingOperations } from "../containers/delete-container.ts";
import { findContainer } from "../containers/find-container.ts";
import { failureMessages } from "./failure-messages.ts";
import type { OperationDeps } from "./operation-deps.ts";
import type { OperationKind } from "./runner/operation.ts";

/** Stops a container by force, whatever state it is in, and deletes it (behaviour.md 5.3, 12 item 26). */
export function deleteOperation(
  tools: OperationDeps,
): OperationKind<typeof DeleteContainerRequestSchema, "updateDeletionStatus"> {
  async function finish(containerName: string, signal: AbortSignal) {
    await forceDelete(tools.engine(), containerName, signal);
    await removeBindMounts(tools.site, tools.places, containerName);
    return { containerName, status: Status.DELETED };
  }

  return {
    name: "delete",
    request: DeleteContainerRequestSchema,
    notify: "updateDeletionStatus",
    async *run({ containerName }, context) {
      const engine = tools.engine();
      const found = await findContainer(engine, containerName, context.signal);
      if (found) await noteContainer(engine, found, context, context.signal);
      return await finish(containerName, context.signal);
    },
    ...failureMessages(Status),
    // Half deleted is worse than deleted, and the host asked for it: unless somebody has gone on with it since.
    async recover({ containerName }, context, interruption) {
      const { signal } = context;
      const engine = tools.engine();
      await waitForPendingOperations(engine, containerName, signal);
      const noted = await findNotedContainer(engine, containerName, context, signal);
      if (noted.is === "gone") {
        await removeBindMounts(tools.site, tools.places, containerName);
        return { containerName, status: Status.DELETED };
      }
      if (interruption === "cancel" || interruption === "failure") return undefined;
      // It had not begun, and nobody knows what somebody has done to the container since.
      if (!hasNotedContainer(context)) return undefined;
      const stranger = describeStranger(containerName, noted) ?? (await changeSince(engine, noted, signal));
      if (stranger) return { containerName, status: Status.FAILED, failureReason: stranger };
      return await finish(containerName, signal);
    },
    interrupted: ({ containerName }, cause) => `${cause} while it deleted ${containerName}; delete it again`,
  };
}
