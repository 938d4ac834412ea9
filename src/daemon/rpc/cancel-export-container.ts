import type { HandlerContext } from "@connectrpc/connect";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type CancelExportContainerRequest,
  CancelExportContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { type RpcDeps, targetsOperation } from "./rpc.ts";

/** docs/contract.md#cancelexportcontainer. Cancels an export, and no other operation. */
export function cancelExportContainer(deps: Pick<RpcDeps, "runner">) {
  return ({ inProgressContainerName: name }: CancelExportContainerRequest, context: HandlerContext) => {
    const cause = new TremplinError("cancelled", "the host asked for the export to be cancelled");
    const found = targetsOperation(deps, name, context) && deps.runner.cancel("export", name, cause);
    return { status: found ? Status.CANCEL_QUEUED : Status.OPERATION_NOT_FOUND };
  };
}
