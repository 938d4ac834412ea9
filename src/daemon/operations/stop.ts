import { TremplinError } from "../../base/tremplin-error.ts";
import {
  ContainerStopProgress_Status as Status,
  StopContainerRequestSchema,
} from "../../contract/tremplin_pb.js";
import { instanceStatus } from "../../engine/instance.ts";
import { endings } from "./endings.ts";
import { forceStop, settle } from "./engine-work.ts";
import { findContainer } from "./lookup.ts";
import type { OperationContext, OperationKind } from "./operation.ts";
import type { Tools } from "./tools.ts";

/**
 * Stops a container: it is asked first and killed when it has not ended within the grace of the site, which
 * keeps the whole inside the 30 s that hosts wait (behaviour.md 5.5, 9, 12 item 27).
 */
export function stopOperation(
  tools: Tools,
): OperationKind<typeof StopContainerRequestSchema, "updateStopStatus"> {
  async function stop(name: string, { signal, log }: OperationContext): Promise<void> {
    const engine = tools.engine();
    const found = await findContainer(engine, name, signal);
    const running = found?.status_code === instanceStatus.running;
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
      await stop(containerName, context);
      return { containerName, status: Status.STOPPED };
    },
    ...endings(Status),
    async recover({ containerName }, context) {
      await settle(tools.engine(), containerName, context.signal);
      await stop(containerName, context);
      return { containerName, status: Status.STOPPED };
    },
  };
}
