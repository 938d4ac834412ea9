import { abortable } from "../../base/async/abortable.ts";
import {
  type StartLxdRequest,
  StartLxdRequestSchema,
  StartLxdProgress_Status as Status,
} from "../../contract/tremplin_pb.js";
import { isLaunching, type PreparedEngine } from "../supervisor/engine-state.ts";
import type { Supervisor } from "../supervisor/supervisor.ts";
import { withHeartbeat } from "./heartbeat.ts";
import type { OperationDeps } from "./operation-deps.ts";
import type { OperationContext, OperationKind } from "./runner/operation.ts";

const HEARTBEAT = 30_000;
/** The step after which a requested reset continues by itself. */
const RESET = "reset";

/** Launches the engine and waits until it is ready for containers (docs/contract.md#startlxd). */
export function startLxdOperation(
  tools: OperationDeps,
): OperationKind<typeof StartLxdRequestSchema, "updateStartLxdStatus"> {
  const { supervisor } = tools;
  // The supervisor outlives all operations, so an operation stops waiting for the launch when it is aborted.
  const launch = ({ resetLxdDb }: StartLxdRequest, { steps, step, signal }: OperationContext) => {
    const reset = resetLxdDb && !(RESET in steps) ? { onBegun: () => step(RESET) } : undefined;
    return abortable(supervisor.launch(reset).outcome, signal);
  };
  return {
    name: "start-lxd",
    request: StartLxdRequestSchema,
    notify: "updateStartLxdStatus",
    async *run(request, context) {
      // Once the host was notified of RECOVERING, the heartbeat repeats that.
      let status = Status.STARTING;
      const progress = follow(launch(request, context), supervisor, () => {
        status = Status.RECOVERING;
      });
      return yield* withHeartbeat(progress, { every: HEARTBEAT, clock: tools.clock }, () => ({ status }));
    },
    failed: (_request, { message }) => ({ status: Status.FAILED, failureReason: message }),
    cancelled: (_request, { message }) => ({ status: Status.FAILED, failureReason: message }),
    // The host still waits for an engine, so it gets one.
    async recover(request, context) {
      return started(await launch(request, context));
    },
    interrupted: (_request, cause) => `${cause} while it launched the engine; start it again`,
  };
}

async function* follow(outcome: Promise<PreparedEngine>, supervisor: Supervisor, onRecovering: () => void) {
  const ended = new AbortController();
  const reason = supervisor.when((state) => (isLaunching(state) ? state.reason : undefined), ended.signal);
  reason.catch(() => undefined);
  const why = await Promise.race([outcome.then(() => undefined), reason]).finally(() => ended.abort());
  if (why !== undefined) {
    onRecovering();
    yield { status: Status.RECOVERING, failureReason: why };
  }
  return started(await outcome);
}

/** The remark for a person is sent in the field of a failure's reason. */
function started({ remark }: PreparedEngine) {
  return { status: Status.STARTED, failureReason: remark };
}
