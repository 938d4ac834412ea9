import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import type { RestartContainerRequest } from "../../contract/tremplin/v1/guest_pb.js";
import { getContainer } from "../containers/find-container.ts";
import { checkMayRestart } from "../operations/restart.ts";
import { checkAction } from "./check-action.ts";
import { begin, type RpcDeps } from "./rpc.ts";

/** docs/daily.md#restart. */
export function restartContainer(deps: RpcDeps) {
  return async (request: RestartContainerRequest, context: HandlerContext) => {
    const { containerName: name } = request;
    checkContainerName(name);
    const found = await getContainer(deps.engine.running(), name, context.signal);
    checkAction(deps, "restart", found);
    checkMayRestart(found);
    await begin(deps, context, deps.kinds.restart, name, request);
    return {};
  };
}
