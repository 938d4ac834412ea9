import {
  DeleteContainerRequestSchema,
  ContainerDeletionProgress_Status as Status,
} from "../../contract/tremplin_pb.js";
import { removeBindMounts } from "./bind-mounts.ts";
import { endings } from "./endings.ts";
import { remove, settle } from "./engine-work.ts";
import type { OperationKind } from "./operation.ts";
import type { Tools } from "./tools.ts";

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
    async *run({ containerName }, { signal }) {
      return finish(containerName, signal);
    },
    ...endings(Status),
    // Half deleted is worse than deleted, and the host asked for it.
    async recover({ containerName }, { signal }) {
      await settle(tools.engine(), containerName, signal);
      return finish(containerName, signal);
    },
  };
}
