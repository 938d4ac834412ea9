import type { HandlerContext } from "@connectrpc/connect";
import {
  type KeepUpgradeRequest,
  RollbackResponse_Status as Status,
  type UndoUpgradeRequest,
} from "../../contract/tremplin/v1/guest_pb.js";
import { getContainer } from "../containers/find-container.ts";
import { commitUpgradeOperation } from "../operations/upgrade/commit-upgrade.ts";
import { findRollbackSnapshot } from "../operations/upgrade/rollback-snapshot.ts";
import { noRollbackSnapshot, rollbackUpgradeOperation } from "../operations/upgrade/rollback-upgrade.ts";
import { checkContainerName } from "./container-name.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** The two rpcs about the snapshot from before an upgrade: go back to it, or delete it. */
export function rollbackRpc(tools: RpcDeps) {
  const undo = tools.runner.add(rollbackUpgradeOperation(tools.operations));
  const keep = tools.runner.add(commitUpgradeOperation(tools.operations));
  return {
    undoUpgrade: beginning<UndoUpgradeRequest>(tools, (name, request, context) =>
      begin(tools, context, undo, name, request),
    ),
    keepUpgrade: beginning<KeepUpgradeRequest>(tools, (name, request, context) =>
      begin(tools, context, keep, name, request),
    ),
  };
}

/** Begins an operation where there is such a snapshot. */
function beginning<Request extends { readonly containerName: string }>(
  tools: RpcDeps,
  start: (name: string, request: Request, context: HandlerContext) => Promise<void>,
) {
  return withStatusErrors(
    tools,
    async (request: Request, context: HandlerContext) => {
      const { signal } = context;
      const { containerName: name } = request;
      checkContainerName(name);
      await getContainer(tools.engine(), name, signal);
      if (!(await findRollbackSnapshot(tools.engine(), name, signal))) {
        return { status: Status.NO_ROLLBACK_SNAPSHOT, failureReason: noRollbackSnapshot(name) };
      }
      await start(name, request, context);
      return { status: Status.STARTED, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
