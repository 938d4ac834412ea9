import type { HandlerContext } from "@connectrpc/connect";
import type { ListProblemsRequest } from "../../contract/tremplin/v1/guest_pb.js";
import { findProblems } from "../problems/find-problems.ts";
import type { RpcDeps } from "./rpc.ts";

/** What on this machine is in the way of containers, with advice. Looks only when asked, because it runs programs. */
export function listProblems({ engine, bridge, clock }: Pick<RpcDeps, "engine" | "bridge" | "clock">) {
  return async (_request: ListProblemsRequest, { signal }: HandlerContext) => {
    return { problems: await findProblems(engine.running(), bridge, { clock, signal }) };
  };
}
