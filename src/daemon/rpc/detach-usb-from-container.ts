import {
  type DetachUsbFromContainerRequest,
  DetachUsbFromContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import type { UsbAttachments } from "../devices/usb-attachments.ts";
import { type RpcDeps, withStatusErrors } from "./rpc.ts";

/** behaviour.md 5.19: OK also when nobody had the port. */
export function detachUsbFromContainer(tools: RpcDeps & { readonly usb: UsbAttachments }) {
  return withStatusErrors(
    tools,
    async ({ portNum }: DetachUsbFromContainerRequest) => {
      await tools.usb.detach(portNum);
      return { status: Status.OK, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
