import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type CancelUpgradeContainerRequest,
  UpgradeContainerProgress_Status as Ended,
  CancelUpgradeContainerResponse_Status as Status,
  type UpgradeContainerProgress,
} from "../../contract/tremplin_pb.js";
import { type RpcDeps, targetsOperation, withStatusErrors } from "./rpc.ts";

/**
 * How long a response waits for the rollback: hosts give up after a minute (docs/contract.md#deadlines). Then it says
 * CANCELLED, since the programs in the container were killed first, and the final notice follows.
 */
const ROLLBACK_TIMEOUT_MS = 45_000;

/** docs/contract.md#cancelupgradecontainer. */
export function cancelUpgradeContainer(deps: RpcDeps) {
  const { runner, clock } = deps;
  return withStatusErrors(
    deps,
    async ({ containerName: name }: CancelUpgradeContainerRequest, context: HandlerContext) => {
      checkContainerName(name);
      const outcome = runner.outcome("upgrade", name);
      const cause = new TremplinError("cancelled", "the upgrade was cancelled");
      if (!targetsOperation(deps, name, context) || !runner.cancel("upgrade", name, cause)) {
        return { status: Status.NOT_RUNNING, failureReason: "" };
      }
      const end = await Promise.race([outcome, clock.sleep(ROLLBACK_TIMEOUT_MS, context.signal)]);
      const { status, failureReason = "" } = (end?.message ?? {}) as Partial<UpgradeContainerProgress>;
      // Too late: the upgrade was verified already.
      if (status === Ended.SUCCEEDED) return { status: Status.NOT_RUNNING, failureReason: "" };
      if (end?.failureCode === "rollback-failed") return { status: Status.FAILED, failureReason };
      return { status: Status.CANCELLED, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
