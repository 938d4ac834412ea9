import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import {
  StopContainerResponse_Status as Status,
  type StopContainerRequest,
} from "../../contract/tremplin_pb.js";
import { instanceStatus } from "../../engine/resources/instance.ts";
import { recordStopped } from "../containers/autostart.ts";
import { findContainer, noSuchContainer } from "../containers/find-container.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** docs/contract.md#stopcontainer. DOES_NOT_EXIST only when the engine says so. */
export function stopContainer(deps: RpcDeps) {
  return withStatusErrors(
    deps,
    async (request: StopContainerRequest, context: HandlerContext) => {
      const { containerName: name } = request;
      checkContainerName(name);
      const found = await findContainer(deps.engine.running(), name, context.signal);
      if (!found) return { status: Status.DOES_NOT_EXIST, failureReason: noSuchContainer(name) };
      if (found.status_code === instanceStatus.stopped && !deps.runner.locks.holder(name)) {
        // One that waits to be started again after its engine ended is not.
        await recordStopped(deps.engine.running(), name, context.signal);
        return { status: Status.STOPPED, failureReason: "" };
      }
      await begin(deps, context, deps.kinds.stop, name, request);
      return { status: Status.STOPPING, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
