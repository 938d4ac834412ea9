import { abortable } from "../../base/async/abortable.ts";
import { flagText } from "../../base/text-codecs.ts";
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

const HEARTBEAT_MS = 30_000;

/** `reset`: from here on the supervisor continues the requested database reset by itself. */
const steps = { reset: flagText };

/** Launches the engine and waits until it is ready for containers (docs/contract.md#startlxd). */
export function startLxdOperation(
  deps: OperationDeps,
): OperationKind<typeof StartLxdRequestSchema, "updateStartLxdStatus", typeof steps> {
  const { supervisor } = deps;
  // The supervisor outlives all operations, so an operation stops waiting for the launch when it is aborted.
  const launch = (
    { resetLxdDb }: StartLxdRequest,
    { steps: taken, step, signal }: OperationContext<typeof steps>,
  ) => {
    const reset = resetLxdDb && !taken.reset ? { onBegun: () => step("reset") } : undefined;
    return abortable(supervisor.launch(reset).outcome, signal);
  };
  return {
    name: "start-lxd",
    request: StartLxdRequestSchema,
    notify: "updateStartLxdStatus",
    steps,
    async *run(request, context) {
      // Once the host was notified of RECOVERING, the heartbeat repeats that.
      let status = Status.STARTING;
      const progress = follow(launch(request, context), supervisor, () => {
        status = Status.RECOVERING;
      });
      return yield* withHeartbeat(progress, { every: HEARTBEAT_MS, clock: deps.clock }, () => ({ status }));
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
