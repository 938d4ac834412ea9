import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import {
  type AttachUsbToContainerRequest,
  AttachUsbToContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import type { UsbAttachments } from "../devices/usb-attachments.ts";
import { checkContainerName } from "./container-name.ts";
import { type RpcDeps, withStatusErrors } from "./rpc.ts";

/** behaviour.md 5.18; NO_SUCH_CONTAINER only when the engine says so (12 item 69). */
export function attachUsbToContainer(tools: RpcDeps & { readonly usb: UsbAttachments }) {
  return withStatusErrors(
    tools,
    async ({ portNum, containerName }: AttachUsbToContainerRequest) => {
      checkContainerName(containerName);
      try {
        await tools.usb.attach(portNum, containerName);
      } catch (error) {
        if (TremplinError.from(error).code !== "not-found") throw error;
        return { status: Status.NO_SUCH_CONTAINER, failureReason: errorMessage(error) };
      }
      return { status: Status.OK, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
