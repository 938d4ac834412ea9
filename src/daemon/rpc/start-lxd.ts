import type { HandlerContext } from "@connectrpc/connect";
import { KeyedMutex } from "../../base/async/keyed-mutex.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type StartLxdRequest, StartLxdResponse_Status as Status } from "../../contract/tremplin_pb.js";
import { setOperationId } from "../../transport/operation-id.ts";
import { isUsable } from "../supervisor/engine-state.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** docs/contract.md#startlxd. A second call while the engine starts shares the outcome. */
export function startLxd(deps: RpcDeps) {
  const { supervisor, runner } = deps;
  // One call after another: the next one finds the launch that this one begins.
  const mutex = new KeyedMutex();
  const accept = async (request: StartLxdRequest, context: HandlerContext) => {
    const { state } = supervisor;
    const underWay = runner.locks.holder("");
    const isResetting = underWay !== undefined && state.status !== "stopped" && state.launch.resets;
    if (request.resetLxdDb && !isResetting) checkReset(deps);
    if (!request.resetLxdDb && isUsable(state)) {
      return { status: Status.ALREADY_RUNNING, failureReason: "" };
    }
    if (underWay) setOperationId(context, underWay.id);
    else await begin(deps, context, deps.kinds.startLxd, "", request);
    return { status: Status.STARTING, failureReason: "" };
  };
  return withStatusErrors(
    deps,
    (request: StartLxdRequest, context: HandlerContext) => mutex.run("", () => accept(request, context)),
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}

/** Throws unless the daemon launched the engine and no operation would lose it. */
function checkReset({ supervisor, runner }: RpcDeps): void {
  if (!supervisor.isManaged) {
    throw new TremplinError(
      "invalid",
      "the engine is not one that this daemon launched, so its database is not reset from here",
    );
  }
  const busy = runner.locks.all();
  if (busy.length === 0) return;
  const operations = busy.map(({ kind, container }) => `${kind} ${container}`.trim());
  throw new TremplinError(
    "busy",
    `the engine's database cannot be reset while work is under way (${operations.join(", ")}): wait for its end and try again`,
  );
}
