import type { HandlerContext } from "@connectrpc/connect";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type CancelImportContainerRequest,
  CancelImportContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { type RpcDeps, targetsOperation } from "./rpc.ts";

/** behaviour.md 5.12. Of an import only, and not of what else is done with the container. */
export function cancelImportContainer(tools: Pick<RpcDeps, "runner">) {
  return async ({ inProgressContainerName: name }: CancelImportContainerRequest, context: HandlerContext) => {
    const cause = new TremplinError("cancelled", "the host asked for the import to be cancelled");
    const found = targetsOperation(tools, name, context) && tools.runner.cancel("import", name, cause);
    return { status: found ? Status.CANCEL_QUEUED : Status.OPERATION_NOT_FOUND };
  };
}
