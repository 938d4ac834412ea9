import {
  DeleteContainerRequestSchema,
  ContainerDeletionProgress_Status as Status,
} from "../../contract/tremplin_pb.js";
import { removeBindMounts } from "../containers/bind-mounts.ts";
import {
  changeSince,
  findNoted,
  hasNoted,
  noteContainer,
  strangerTo,
} from "../containers/container-identity.ts";
import { remove, settle } from "../containers/delete-container.ts";
import { findContainer } from "../containers/find-container.ts";
import { endings } from "./failure-messages.ts";
import type { Tools } from "./operation-deps.ts";
import type { OperationKind } from "./runner/operation.ts";

/** Stops a container by force, whatever state it is in, and deletes it (behaviour.md 5.3, 12 item 26). */
export function deleteOperation(
  tools: Tools,
): OperationKind<typeof DeleteContainerRequestSchema, "updateDeletionStatus"> {
  async function finish(containerName: string, signal: AbortSignal) {
    await remove(tools.engine(), containerName, signal);
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
    ...endings(Status),
    // Half deleted is worse than deleted, and the host asked for it: unless somebody has gone on with it since.
    async recover({ containerName }, context, interruption) {
      const { signal } = context;
      const engine = tools.engine();
      await settle(engine, containerName, signal);
      const noted = await findNoted(engine, containerName, context, signal);
      if (noted.is === "gone") {
        await removeBindMounts(tools.site, tools.places, containerName);
        return { containerName, status: Status.DELETED };
      }
      if (interruption === "cancel" || interruption === "failure") return undefined;
      // It had not begun, and nobody knows what somebody has done to the container since.
      if (!hasNoted(context)) return undefined;
      const stranger = strangerTo(containerName, noted) ?? (await changeSince(engine, noted, signal));
      if (stranger) return { containerName, status: Status.FAILED, failureReason: stranger };
      return await finish(containerName, signal);
    },
    interrupted: ({ containerName }, cause) => `${cause} while it deleted ${containerName}; delete it again`,
  };
}
