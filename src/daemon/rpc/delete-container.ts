import type { HandlerContext } from "@connectrpc/connect";
import {
  type DeleteContainerRequest,
  DeleteContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { findContainer } from "../containers/find-container.ts";
import { deleteOperation } from "../operations/delete.ts";
import { checkContainerName } from "./container-name.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** behaviour.md 5.3; DOES_NOT_EXIST only when the engine says so (12 item 25). */
export function deleteContainer(tools: RpcDeps) {
  const kind = tools.runner.add(deleteOperation(tools.operations));
  return withStatusErrors(
    tools,
    async (request: DeleteContainerRequest, context: HandlerContext) => {
      const { containerName: name } = request;
      checkContainerName(name);
      if (!(await findContainer(tools.engine(), name, context.signal))) {
        return { status: Status.DOES_NOT_EXIST, failureReason: `there is no container ${name}` };
      }
      await begin(tools, context, kind, name, request);
      return { status: Status.DELETING, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
