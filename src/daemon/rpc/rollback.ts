import type { HandlerContext } from "@connectrpc/connect";
import { noRollbackSnapshot } from "../../actions/container-actions.ts";
import { checkContainerName } from "../../base/container-name.ts";
import {
  type KeepUpgradeRequest,
  RollbackResponse_Status as Status,
  type UndoUpgradeRequest,
} from "../../contract/tremplin/v1/guest_pb.js";
import { getContainer } from "../containers/find-container.ts";
import { findRollbackSnapshot } from "../operations/upgrade/rollback-snapshot.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

type Begin<Request> = (name: string, request: Request, context: HandlerContext) => Promise<void>;

/** Rolls a container back to its rollback snapshot. */
export function undoUpgrade(deps: RpcDeps) {
  return ifRollbackSnapshot<UndoUpgradeRequest>(deps, (name, request, context) =>
    begin(deps, context, deps.kinds.rollbackUpgrade, name, request),
  );
}

/** Deletes the rollback snapshot of a container. */
export function keepUpgrade(deps: RpcDeps) {
  return ifRollbackSnapshot<KeepUpgradeRequest>(deps, (name, request, context) =>
    begin(deps, context, deps.kinds.commitUpgrade, name, request),
  );
}

/** Begins an operation on a container that has a rollback snapshot. */
function ifRollbackSnapshot<Request extends { readonly containerName: string }>(
  deps: RpcDeps,
  beginOperation: Begin<Request>,
) {
  return withStatusErrors(
    deps,
    async (request: Request, context: HandlerContext) => {
      const { signal } = context;
      const { containerName: name } = request;
      checkContainerName(name);
      const engine = deps.engine.running();
      await getContainer(engine, name, signal);
      if (!(await findRollbackSnapshot(engine, name, signal))) {
        return { status: Status.NO_ROLLBACK_SNAPSHOT, failureReason: noRollbackSnapshot(name) };
      }
      await beginOperation(name, request, context);
      return { status: Status.STARTED, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
