import type { HandlerContext } from "@connectrpc/connect";
import {
  type KeepUpgradeRequest,
  WayBackResponse_Status as Status,
  type UndoUpgradeRequest,
} from "../../contract/tremplin/v1/guest_pb.js";
import { answered } from "../../transport/answered.ts";
import { keepUpgradeOperation } from "../operations/keep-upgrade.ts";
import { getContainer } from "../operations/lookup.ts";
import { noWayBack, undoUpgradeOperation } from "../operations/undo-upgrade.ts";
import { findWayBack } from "../operations/way-back.ts";
import { checkContainerName } from "./container-name.ts";
import { answering, type RpcTools } from "./rpc.ts";

/** The two rpcs about the snapshot from before an upgrade: go back to it, or delete it. */
export function wayBack(tools: RpcTools) {
  const undo = tools.runner.add(undoUpgradeOperation(tools.operations));
  const keep = tools.runner.add(keepUpgradeOperation(tools.operations));
  return {
    undoUpgrade: beginning<UndoUpgradeRequest>(tools, (name, request, told) =>
      tools.runner.begin(undo, name, request, told),
    ),
    keepUpgrade: beginning<KeepUpgradeRequest>(tools, (name, request, told) =>
      tools.runner.begin(keep, name, request, told),
    ),
  };
}

/** Begins an operation where there is such a snapshot. */
function beginning<Request extends { readonly containerName: string }>(
  tools: RpcTools,
  begin: (name: string, request: Request, told: Promise<void>) => Promise<unknown>,
) {
  return answering(
    tools,
    async (request: Request, { signal, values }: HandlerContext) => {
      const { containerName: name } = request;
      checkContainerName(name);
      await getContainer(tools.engine(), name, signal);
      if (!(await findWayBack(tools.engine(), name, signal))) {
        return { status: Status.NO_WAY_BACK, failureReason: noWayBack(name) };
      }
      await begin(name, request, values.get(answered));
      return { status: Status.STARTED, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}
