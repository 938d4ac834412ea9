import type { HandlerContext } from "@connectrpc/connect";
import { TremplinError } from "../../base/tremplin-error.ts";
import { type StartLxdRequest, StartLxdResponse_Status as Status } from "../../contract/tremplin_pb.js";
import { nameOperation } from "../../transport/operation-id.ts";
import { startLxdOperation } from "../operations/start-lxd.ts";
import { begin, type RpcDeps, withStatusErrors } from "./rpc.ts";

/** behaviour.md 5.1; a second call while the engine starts shares the outcome (12 item 1). */
export function startLxd(tools: RpcDeps) {
  const { supervisor, runner } = tools;
  const kind = runner.add(startLxdOperation(tools.operations));
  /** Whether the newest launch that was asked for here resets the database. */
  let resets = false;
  return withStatusErrors(
    tools,
    async (request: StartLxdRequest, context: HandlerContext) => {
      const underWay = runner.locks.holder("");
      if (request.resetLxdDb && !(underWay && resets)) checkReset(tools);
      if (!request.resetLxdDb && supervisor.state.status === "running") {
        return { status: Status.ALREADY_RUNNING, failureReason: "" };
      }
      if (underWay) nameOperation(context, underWay.id);
      else {
        resets = request.resetLxdDb;
        await begin(tools, context, kind, "", request);
      }
      return { status: Status.STARTING, failureReason: "" };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason }),
  );
}

/** Whatever works on a container would lose its engine in the middle. */
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
