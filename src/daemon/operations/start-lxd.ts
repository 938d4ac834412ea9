import { abortable } from "../../base/async/abortable.ts";
import {
  type StartLxdRequest,
  StartLxdRequestSchema,
  StartLxdProgress_Status as Status,
} from "../../contract/tremplin_pb.js";
import type { Launch } from "../supervisor/engine-state.ts";
import { withHeartbeat } from "./heartbeat.ts";
import type { OperationDeps } from "./operation-deps.ts";
import type { OperationContext, OperationKind } from "./runner/operation.ts";

const HEARTBEAT = 30_000;
/** The step after which the wished reset goes on by itself. */
const RESET = "reset";

/** Launches the engine and waits until it is ready for containers (behaviour.md 5.1). */
export function startLxdOperation(
  tools: OperationDeps,
): OperationKind<typeof StartLxdRequestSchema, "updateStartLxdStatus"> {
  // The launch itself ends with the launcher, after all operations: they wait no longer than they are to.
  const launch = ({ resetLxdDb }: StartLxdRequest, { steps, step, signal }: OperationContext): Launch => {
    const wish = resetLxdDb && !(RESET in steps) ? { onBegun: () => step(RESET) } : undefined;
    const launched = tools.supervisor.launch(wish);
    return { ...launched, outcome: abortable(launched.outcome, signal) };
  };
  return {
    name: "start-lxd",
    request: StartLxdRequestSchema,
    notify: "updateStartLxdStatus",
    async *run(request, context) {
      // A host that hears RECOVERING goes on to hear it, until the end.
      let status = Status.STARTING;
      const progress = follow(launch(request, context), () => {
        status = Status.RECOVERING;
      });
      return yield* withHeartbeat(progress, { every: HEARTBEAT, clock: tools.clock }, () => ({ status }));
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
  const why = await Promise.race([outcome.then(() => undefined), recovering]);
  if (why !== undefined) {
    onRecovering();
    yield { status: Status.RECOVERING, failureReason: why };
  }
  return started(await outcome);
}

/** What a person should know although the engine runs stands where the reason of a failure would. */
function started({ remark }: Awaited<Launch["outcome"]>) {
  return { status: Status.STARTED, failureReason: remark };
}
