import { TremplinError } from "../../base/tremplin-error.ts";
import {
  ContainerStopProgress_Status as Status,
  StopContainerRequestSchema,
} from "../../contract/tremplin_pb.js";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import {
  describeStranger,
  findNotedContainer,
  hasNotedContainer,
  noteContainer,
} from "../containers/container-identity.ts";
import { forceStop, waitForPendingOperations } from "../containers/delete-container.ts";
import { findContainer } from "../containers/find-container.ts";
import { failureMessages } from "./failure-messages.ts";
import type { OperationDeps } from "./operation-deps.ts";
import type { OperationContext, OperationKind } from "./runner/operation.ts";

/**
 * Stops a container: it is asked first and killed when it has not ended within the grace of the site, which
 * keeps the whole inside the 30 s that hosts wait (behaviour.md 5.5, 9, 12 item 27).
 */
export function stopOperation(
  tools: OperationDeps,
): OperationKind<typeof StopContainerRequestSchema, "updateStopStatus"> {
  async function stop(found: Instance | undefined, { signal, log }: OperationContext): Promise<void> {
    if (!found) return;
    const engine = tools.engine();
    const { name } = found;
    const running = found.status_code === instanceStatus.running;
    if (running && tools.site.stopGrace > 0) {
      try {
        const change = { action: "stop", timeout: tools.site.stopGrace } as const;
        await (await engine.instances.setState(name, change, { signal })).wait({ signal });
      } catch (error) {
        signal.throwIfAborted();
        log.info({ reason: TremplinError.from(error).message }, "it does not stop by itself: using force");
      }
    }
    await forceStop(engine, name, signal);
  }

  return {
    name: "stop",
    request: StopContainerRequestSchema,
    notify: "updateStopStatus",
    async *run({ containerName }, context) {
      yield { containerName, status: Status.STOPPING };
      const engine = tools.engine();
      const found = await findContainer(engine, containerName, context.signal);
      if (found) await noteContainer(engine, found, context, context.signal);
      await stop(found, context);
      return { containerName, status: Status.STOPPED };
    },
    ...failureMessages(Status),
    async recover({ containerName }, context, interruption) {
      const engine = tools.engine();
      await waitForPendingOperations(engine, containerName, context.signal);
      const noted = await findNotedContainer(engine, containerName, context, context.signal);
      if (noted.is === "gone" || (noted.is === "same" && isStopped(noted.instance))) {
        return { containerName, status: Status.STOPPED };
      }
      if (interruption === "cancel" || interruption === "failure") return undefined;
      // It had not begun, and nobody knows what somebody has done to the container since.
      if (!hasNotedContainer(context)) return undefined;
      const stranger = describeStranger(containerName, noted);
      if (stranger) return { containerName, status: Status.FAILED, failureReason: stranger };
      await stop(noted.instance, context);
      return { containerName, status: Status.STOPPED };
    },
    interrupted: ({ containerName }, cause) => `${cause} while it stopped ${containerName}; stop it again`,
  };
}

function isStopped({ status_code }: Instance): boolean {
  return status_code === instanceStatus.stopped;
}
