import { abortable } from "../../base/async/abortable.ts";
import { flagText } from "../../base/text-codecs.ts";
import {
  type StartLxdRequest,
  StartLxdRequestSchema,
  StartLxdProgress_Status as Status,
} from "../../contract/tremplin_pb.js";
import type { Launch } from "../supervisor/engine-state.ts";
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
  // The launch outlives the operation: it ends with the supervisor, which stops after all operations.
  const launch = (
    { resetLxdDb }: StartLxdRequest,
    { steps: taken, step, signal }: OperationContext<typeof steps>,
  ): Launch => {
    const reset = resetLxdDb && !taken.reset ? { begun: () => step("reset") } : undefined;
    const launched = deps.supervisor.launch(reset);
    return { ...launched, outcome: abortable(launched.outcome, signal) };
  };
  return {
    name: "start-lxd",
    request: StartLxdRequestSchema,
    notify: "updateStartLxdStatus",
    steps,
    async *run(request, context) {
      // After a first RECOVERING every message says so, until the end.
      let status = Status.STARTING;
      const progress = follow(launch(request, context), () => {
        status = Status.RECOVERING;
      });
      return yield* withHeartbeat(progress, { every: HEARTBEAT_MS, clock: deps.clock }, () => ({ status }));
    },
    failed: (_request, { message }) => ({ status: Status.FAILED, failureReason: message }),
    cancelled: (_request, { message }) => ({ status: Status.FAILED, failureReason: message }),
    // The host still waits for an engine, so it gets one.
    async recover(request, context) {
      return started(await launch(request, context).outcome);
    },
    interrupted: (_request, cause) => `${cause} while it launched the engine; start it again`,
  };
}

async function* follow({ outcome, recovering }: Launch, onRecovering: () => void) {
  const reason = await Promise.race([outcome.then(() => undefined), recovering]);
  if (reason !== undefined) {
    onRecovering();
    yield { status: Status.RECOVERING, failureReason: reason };
  }
  return started(await outcome);
}

/** A remark for a person although the engine runs goes into the field of the failure reason. */
function started({ remark }: Awaited<Launch["outcome"]>) {
  return { status: Status.STARTED, failureReason: remark };
}
