import type { HandlerContext } from "@connectrpc/connect";
import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type CancelExportContainerRequest,
  CancelExportContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { isMeant, type RpcTools } from "./rpc.ts";

/** Ends an export, and only an export (behaviour.md 5.11). */
export function cancelExportContainer(tools: Pick<RpcTools, "runner">) {
  return ({ inProgressContainerName: name }: CancelExportContainerRequest, context: HandlerContext) => {
    const cause = new TremplinError("cancelled", "the host asked for the export to be cancelled");
    const found = isMeant(tools, name, context) && tools.runner.cancel("export", name, cause);
    return { status: found ? Status.CANCEL_QUEUED : Status.OPERATION_NOT_FOUND };
  };
}
