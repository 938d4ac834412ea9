import {
  type StartContainerResponse,
  StartContainerResponse_Status as Status,
} from "../../contract/tremplin_pb.js";
import type { Reply } from "./run-operation.ts";

/** What a guest replied to StartContainer. `already`: the result for a container that runs. */
export function startReply({ status, failureReason }: StartContainerResponse, already: string): Reply {
  switch (status) {
    case Status.STARTING:
    case Status.REMAPPING:
      return { kind: "accepted" };
    case Status.STARTED:
    case Status.RUNNING:
      return { kind: "already", text: already };
    default:
      return { kind: "refused", reason: failureReason };
  }
}
