import type { HandlerContext } from "@connectrpc/connect";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type CancelImportContainerRequest,
  CancelImportContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { type RpcDeps, targetsOperation } from "./rpc.ts";

/** docs/contract.md#cancelimportcontainer. Cancels an import, and no other operation. */
export function cancelImportContainer(deps: Pick<RpcDeps, "runner">) {
  return ({ inProgressContainerName: name }: CancelImportContainerRequest, context: HandlerContext) => {
    const cause = new TremplinError("cancelled", "the host asked for the import to be cancelled");
    const found = targetsOperation(deps, name, context) && deps.runner.cancel("import", name, cause);
    return { status: found ? Status.CANCEL_QUEUED : Status.OPERATION_NOT_FOUND };
  };
}
