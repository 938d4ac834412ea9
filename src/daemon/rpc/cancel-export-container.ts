import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type CancelExportContainerRequest,
  CancelExportContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import type { RpcTools } from "./rpc.ts";

/** Ends an export, and only an export (behaviour.md 5.11). */
export function cancelExportContainer({ runner }: RpcTools) {
  return ({ inProgressContainerName: name }: CancelExportContainerRequest) => {
    const cause = new TremplinError("cancelled", `exporting ${name} was cancelled`);
    return {
      status: runner.cancel("export", name, cause) ? Status.CANCEL_QUEUED : Status.OPERATION_NOT_FOUND,
    };
  };
}
