import type { HandlerContext } from "@connectrpc/connect";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type StartLxdRequest, StartLxdResponse_Status as Status } from "../../contract/tremplin_pb.js";
import { answered } from "../../transport/answered.ts";
import { startLxdOperation } from "../operations/start-lxd.ts";
import { answering, type RpcTools } from "./rpc.ts";

/** behaviour.md 5.1; a second call while the engine starts shares the outcome (12 item 1). */
export function startLxd(tools: RpcTools) {
  const kind = tools.runner.add(startLxdOperation(tools.operations));
  return answering(
    tools,
    async (request: StartLxdRequest, { values }: HandlerContext) => {
      if (request.resetLxdDb) {
        throw new TremplinError("invalid", "resetting the database of the engine is not supported yet");
      }
      if (tools.launcher.state.word === "running")
        return { status: Status.ALREADY_RUNNING, failureReason: "" };
      if (!tools.runner.locks.holder("")) await tools.runner.begin(kind, "", request, values.get(answered));
      return { status: Status.STARTING, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
