import type { HandlerContext } from "@connectrpc/connect";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type StartLxdRequest, StartLxdResponse_Status as Status } from "../../contract/tremplin_pb.js";
import { setOperationId } from "../../transport/operation-id.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** docs/contract.md#startlxd. A second call while the engine starts shares the outcome. */
export function startLxd(deps: RpcDeps) {
  const { supervisor, runner } = deps;

  /** Whether the newest launch that was requested here resets the database. */
  let resets = false;
  return withStatusErrors(
    deps,
    async (request: StartLxdRequest, context: HandlerContext) => {
      const underWay = runner.locks.holder("");
      if (request.resetLxdDb && !(underWay && resets)) checkReset(deps);
      if (!request.resetLxdDb && supervisor.state.status === "running") {
        return { status: Status.ALREADY_RUNNING, failureReason: "" };
      }
      if (underWay) setOperationId(context, underWay.id);
      else {
        resets = request.resetLxdDb;
        await begin(deps, context, deps.kinds.startLxd, "", request);
      }
      return { status: Status.STARTING, failureReason: "" };
    },
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
  const works = busy.map(({ kind, container }) => `${kind} ${container}`.trim());
  throw new TremplinError(
    "busy",
    `the engine's database cannot be reset while work is under way (${works.join(", ")}): wait for its end and try again`,
  );
}
