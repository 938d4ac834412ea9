import {
  type DetachUsbFromContainerRequest,
  DetachUsbFromContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import type { UsbAttachments } from "../devices/usb-attachments.ts";
import { answering, type RpcTools } from "./rpc.ts";

/** behaviour.md 5.19: OK also when nobody had the port. */
export function detachUsbFromContainer(tools: RpcTools & { readonly usb: UsbAttachments }) {
  return answering(
    tools,
    async ({ portNum }: DetachUsbFromContainerRequest) => {
      await tools.usb.detach(portNum);
      return { status: Status.OK, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
