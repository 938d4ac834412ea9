import type { HandlerContext } from "@connectrpc/connect";
import {
  StopContainerResponse_Status as Status,
  type StopContainerRequest,
} from "../../contract/tremplin_pb.js";
import { instanceStatus } from "../../engine/resources/instance.ts";
import { findContainer } from "../containers/find-container.ts";
import { stopOperation } from "../operations/stop.ts";
import { checkContainerName } from "./container-name.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** behaviour.md 5.5; DOES_NOT_EXIST only when the engine says so (12 item 25). */
export function stopContainer(tools: RpcDeps) {
  const kind = tools.runner.add(stopOperation(tools.operations));
  return withStatusErrors(
    tools,
    async (request: StopContainerRequest, context: HandlerContext) => {
      const { containerName: name } = request;
      checkContainerName(name);
      const found = await findContainer(tools.engine(), name, context.signal);
      if (!found) return { status: Status.DOES_NOT_EXIST, failureReason: `there is no container ${name}` };
      if (found.status_code === instanceStatus.stopped && !tools.runner.locks.holder(name)) {
        return { status: Status.STOPPED, failureReason: "" };
      }
      await begin(tools, context, kind, name, request);
      return { status: Status.STOPPING, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
