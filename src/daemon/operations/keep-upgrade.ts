import { KeepUpgradeRequestSchema } from "../../contract/tremplin/v1/guest_pb.js";
import { UpgradeContainerProgress_Status as Status } from "../../contract/tremplin_pb.js";
import { untilEngineReturns } from "./engine-return.ts";
import { deleteSnapshot } from "./engine-work.ts";
import type { OperationKind } from "./operation.ts";
import type { Tools } from "./tools.ts";
import { upgradeEndings } from "./upgrade-endings.ts";
import { findWayBack } from "./way-back.ts";

/** Gives up the ways back of a container: deletes its snapshots from before upgrades. */
export function keepUpgradeOperation(
  tools: Tools,
): OperationKind<typeof KeepUpgradeRequestSchema, "upgradeContainerStatus"> {
  async function forgetAll(containerName: string, ending: AbortSignal) {
    await untilEngineReturns(tools, ending, async (engine) => {
      for (;;) {
        const snapshot = await findWayBack(engine, containerName, ending);
        if (!snapshot) return;
        await deleteSnapshot(engine, containerName, snapshot.name, ending);
      }
    });
    const line = "it stays as it is: the way back is gone, and its space is free";
    return { containerName, status: Status.SUCCEEDED, progressMessages: [line] };
  }

  return {
    name: "keep-upgrade",
    request: KeepUpgradeRequestSchema,
    notify: "upgradeContainerStatus",
    async *run({ containerName }, { ending }) {
      return await forgetAll(containerName, ending);
    },
    ...upgradeEndings,
    recover: ({ containerName }, { ending }) => forgetAll(containerName, ending),
  };
}
