import type { HandlerContext } from "@connectrpc/connect";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { CancelOperationRequest } from "../../contract/tremplin/v1/guest_pb.js";
import { type RpcDeps, targetsOperation } from "./rpc.ts";

/** The kinds that nothing else cancels. */
const kinds = ["create", "snapshot", "copy"];

/** Cancels the operation under way on a container, where it can be cancelled. */
export function cancelOperation(deps: Pick<RpcDeps, "runner">) {
  return ({ containerName: name }: CancelOperationRequest, context: HandlerContext) => {
    const cause = new TremplinError("cancelled", "it was cancelled on request");
    const cancelled =
      targetsOperation(deps, name, context) && kinds.some((kind) => deps.runner.cancel(kind, name, cause));
    return { cancelled };
  };
}
