import type { HandlerContext } from "@connectrpc/connect";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type CancelUpgradeContainerRequest,
  UpgradeContainerProgress_Status as Ended,
  CancelUpgradeContainerResponse_Status as Status,
  type UpgradeContainerProgress,
} from "../../contract/tremplin_pb.js";
import { checkContainerName } from "./container-name.ts";
import { type RpcDeps, targetsOperation, withStatusErrors } from "./rpc.ts";

/**
 * How long the caller waits for the container to be back: hosts give up after a minute (behaviour.md 9). After that
 * it is told as cancelled all the same, for the programs inside were killed first, and the final notice follows.
 */
const PATIENCE = 45_000;

/** behaviour.md 5.15. */
export function cancelUpgradeContainer(tools: RpcDeps) {
  const { runner, clock } = tools;
  return withStatusErrors(
    tools,
    async ({ containerName: name }: CancelUpgradeContainerRequest, context: HandlerContext) => {
      checkContainerName(name);
      const outcome = runner.outcome("upgrade", name);
      const cause = new TremplinError("cancelled", "the upgrade was cancelled");
      if (!targetsOperation(tools, name, context) || !runner.cancel("upgrade", name, cause)) {
        return { status: Status.NOT_RUNNING, failureReason: "" };
      }
      const end = await Promise.race([outcome, clock.sleep(PATIENCE, context.signal)]);
      const { status, failureReason = "" } = (end?.message ?? {}) as Partial<UpgradeContainerProgress>;
      // Too late: it had been proven already.
      if (status === Ended.SUCCEEDED) return { status: Status.NOT_RUNNING, failureReason: "" };
      if (end?.failureCode === "rollback-failed") return { status: Status.FAILED, failureReason };
      return { status: Status.CANCELLED, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
