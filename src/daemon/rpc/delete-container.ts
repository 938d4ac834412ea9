import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import {
  type DeleteContainerRequest,
  DeleteContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { findContainer, noSuchContainer } from "../containers/find-container.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** docs/contract.md#deletecontainer. DOES_NOT_EXIST only when the engine says so. */
export function deleteContainer(deps: RpcDeps) {
  return withStatusErrors(
    deps,
    async (request: DeleteContainerRequest, context: HandlerContext) => {
      const { containerName: name } = request;
      checkContainerName(name);
      if (!(await findContainer(deps.engine.running(), name, context.signal))) {
        return { status: Status.DOES_NOT_EXIST, failureReason: noSuchContainer(name) };
      }
      await begin(deps, context, deps.kinds.delete, name, request);
      return { status: Status.DELETING, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
