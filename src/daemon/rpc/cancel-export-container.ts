import type { HandlerContext } from "@connectrpc/connect";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type CancelExportContainerRequest,
  CancelExportContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { type RpcDeps, targetsOperation } from "./rpc.ts";

/** Ends an export, and only an export (behaviour.md 5.11). */
export function cancelExportContainer(tools: Pick<RpcDeps, "runner">) {
  return ({ inProgressContainerName: name }: CancelExportContainerRequest, context: HandlerContext) => {
    const cause = new TremplinError("cancelled", "the host asked for the export to be cancelled");
    const found = targetsOperation(tools, name, context) && tools.runner.cancel("export", name, cause);
    return { status: found ? Status.CANCEL_QUEUED : Status.OPERATION_NOT_FOUND };
  };
}
