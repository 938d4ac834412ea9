import { checkContainerName } from "../../base/container-name.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import {
  type AttachUsbToContainerRequest,
  AttachUsbToContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { type RpcDeps, withStatusErrors } from "./rpc.ts";

/** docs/contract.md#attachusbtocontainer. NO_SUCH_CONTAINER only when the engine says so. */
export function attachUsbToContainer(deps: RpcDeps) {
  return withStatusErrors(
    deps,
    async ({ portNum, containerName }: AttachUsbToContainerRequest) => {
      checkContainerName(containerName);
      try {
        await deps.usb.attach(portNum, containerName);
      } catch (error) {
        if (TremplinError.from(error).code !== "not-found") throw error;
        return { status: Status.NO_SUCH_CONTAINER, failureReason: errorMessage(error) };
      }
      return { status: Status.OK, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
