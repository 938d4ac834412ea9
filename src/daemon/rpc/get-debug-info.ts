import type { HandlerContext } from "@connectrpc/connect";
import type { GetDebugInfoRequest } from "../../contract/tremplin_pb.js";
import { collectDebugInfo } from "./debug-info/debug-info.ts";
import type { RpcDeps } from "./rpc.ts";

/** docs/contract.md#getdebuginfo. */
export function getDebugInfo(deps: RpcDeps) {
  return async (_request: GetDebugInfoRequest, { signal }: HandlerContext) => ({
    debugInformation: await collectDebugInfo(deps, signal),
  });
}
