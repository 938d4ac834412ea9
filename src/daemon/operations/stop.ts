import {
  ContainerStopProgress_Status as Status,
  StopContainerRequestSchema,
} from "../../contract/tremplin_pb.js";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { recordStopped } from "../containers/autostart.ts";
import { reasonToLeave } from "../containers/changes-since.ts";
import {
  findRecordedContainer,
  hasRecordedIdentity,
  identitySteps,
  recordIdentity,
} from "../containers/container-identity.ts";
import { findContainer } from "../containers/find-container.ts";
import { waitForPendingOperations } from "../containers/pending-operations.ts";
import { shutDown } from "../containers/shut-down.ts";
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
    if (found) await shutDown(deps.engine(), found, { grace: deps.site.stopGrace, signal, log });
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
        if (match.is === "same") await recordStopped(engine, match.instance.name, context.signal);
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
