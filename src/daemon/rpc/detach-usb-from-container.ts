import {
  type DetachUsbFromContainerRequest,
  DetachUsbFromContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import { type RpcDeps, withStatusErrors } from "./rpc.ts";

/** docs/contract.md#detachusbfromcontainer. OK also when the port was not attached. */
export function detachUsbFromContainer(deps: RpcDeps) {
  return withStatusErrors(
    deps,
    async ({ portNum }: DetachUsbFromContainerRequest) => {
      await deps.usb.detach(portNum);
      return { status: Status.OK, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
