import { TremplinError } from "../../base/tremplin-error.ts";
import {
  ContainerStopProgress_Status as Status,
  StopContainerRequestSchema,
} from "../../contract/tremplin_pb.js";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { reasonToLeave } from "../containers/changes-since.ts";
import {
  findRecordedContainer,
  hasRecordedIdentity,
  identitySteps,
  recordIdentity,
} from "../containers/container-identity.ts";
import { forceStop } from "../containers/delete-container.ts";
import { findContainer } from "../containers/find-container.ts";
import { waitForPendingOperations } from "../containers/pending-operations.ts";
import { failureMessages } from "./failure-messages.ts";
import type { OperationDeps } from "./operation-deps.ts";
import type { OperationContext, OperationKind } from "./runner/operation.ts";

type Context = Pick<OperationContext, "signal" | "log">;

/**
 * Stops a container. Asks it to shut down first, and kills it when it has not done so after the site's `stopGrace`,
 * which keeps the whole inside the 30 s that hosts wait (docs/contract.md#stopcontainer).
 */
export function stopOperation(
  deps: OperationDeps,
): OperationKind<typeof StopContainerRequestSchema, "updateStopStatus", typeof identitySteps> {
  async function stop(found: Instance | undefined, { signal, log }: Context): Promise<void> {
    if (!found) return;
    const engine = deps.engine();
    const { name } = found;
    const isRunning = found.status_code === instanceStatus.running;
    if (isRunning && deps.site.stopGrace > 0) {
      try {
        const change = { action: "stop", timeout: deps.site.stopGrace } as const;
        await (await engine.instances.setState(name, change, { signal })).wait({ signal });
      } catch (error) {
        signal.throwIfAborted();
        log.info(
          { reason: TremplinError.from(error).message },
          "the container does not shut down: killing it",
        );
      }
    }
    await forceStop(engine, name, signal);
  }

  return {
    name: "stop",
    request: StopContainerRequestSchema,
    notify: "updateStopStatus",
    steps: identitySteps,
    async *run({ containerName }, context) {
      yield { containerName, status: Status.STOPPING };
      const engine = deps.engine();
      const found = await findContainer(engine, containerName, context.signal);
      if (found) await recordIdentity(engine, found, context, context.signal);
      await stop(found, context);
      return { containerName, status: Status.STOPPED };
    },
    ...failureMessages(Status),
    async recover({ containerName }, context, interruption) {
      const engine = deps.engine();
      await waitForPendingOperations(engine, containerName, context.signal);
      const match = await findRecordedContainer(engine, containerName, context, context.signal);
      if (match.is === "gone" || (match.is === "same" && isStopped(match.instance))) {
        return { containerName, status: Status.STOPPED };
      }
      if (interruption === "cancel" || interruption === "failure") return undefined;
      // The stop had not begun, and a user may have used the container since.
      if (!hasRecordedIdentity(context)) return undefined;
      const failureReason = reasonToLeave(containerName, match);
      if (failureReason) return { containerName, status: Status.FAILED, failureReason };
      await stop(match.instance, context);
      return { containerName, status: Status.STOPPED };
    },
    interrupted: ({ containerName }, cause) => `${cause} while it stopped ${containerName}; stop it again`,
  };
}

function isStopped({ status_code }: Instance): boolean {
  return status_code === instanceStatus.stopped;
}
