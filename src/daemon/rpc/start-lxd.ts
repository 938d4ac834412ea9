import type { HandlerContext } from "@connectrpc/connect";
import { KeyedMutex } from "../../base/async/keyed-mutex.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type StartLxdRequest, StartLxdResponse_Status as Status } from "../../contract/tremplin_pb.js";
import { nameOperation } from "../../transport/operation-id.ts";
import { startLxdOperation } from "../operations/start-lxd.ts";
import { isUsable } from "../supervisor/engine-state.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** A second call while the engine starts shares the outcome (docs/contract.md#startlxd). */
export function startLxd(tools: RpcDeps) {
  const { supervisor, runner } = tools;
  const kind = runner.add(startLxdOperation(tools.operations));
  // One call after another: the next one finds the launch that this one begins.
  const mutex = new KeyedMutex();
  const accept = async (request: StartLxdRequest, context: HandlerContext) => {
    const { state } = supervisor;
    const underWay = runner.locks.holder("");
    const isResetting = underWay !== undefined && state.status !== "stopped" && state.launch.resets;
    if (request.resetLxdDb && !isResetting) checkReset(tools);
    if (!request.resetLxdDb && isUsable(state)) {
      return { status: Status.ALREADY_RUNNING, failureReason: "" };
    }
    if (underWay) nameOperation(context, underWay.id);
    else await begin(tools, context, kind, "", request);
    return { status: Status.STARTING, failureReason: "" };
  };
  return withStatusErrors(
    tools,
    (request: StartLxdRequest, context: HandlerContext) => mutex.run("", () => accept(request, context)),
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}

/** Throws where an operation on a container would lose its engine in the middle. */
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
