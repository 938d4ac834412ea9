import { StartLxdRequestSchema, StartLxdProgress_Status as Status } from "../../contract/tremplin_pb.js";
import type { OperationKind } from "./operation.ts";
import { breakSilence, justWait } from "./silence.ts";
import type { Tools } from "./tools.ts";

const HEARTBEAT = 30_000;

/** Launches the engine and waits until it is ready for containers (behaviour.md 5.1). */
export function startLxdOperation(
  tools: Tools,
): OperationKind<typeof StartLxdRequestSchema, "updateStartLxdStatus"> {
  const launched = async () => {
    await tools.launcher.launch();
    return { status: Status.STARTED };
  };
  return {
    name: "start-lxd",
    request: StartLxdRequestSchema,
    notify: "updateStartLxdStatus",
    run: () =>
      breakSilence(justWait(launched()), { every: HEARTBEAT, clock: tools.clock }, () => ({
        status: Status.STARTING,
      })),
    failed: (_request, { message }) => ({ status: Status.FAILED, failureReason: message }),
    cancelled: (_request, { message }) => ({ status: Status.FAILED, failureReason: message }),
    // The host still waits for an engine, so it gets one.
    recover: launched,
  };
}
