import type { HandlerContext } from "@connectrpc/connect";
import { errorMessage } from "../../base/tremplin-error.ts";
import {
  VmDeviceAction as Action,
  UpdateContainerDevicesResponse_UpdateResult as Result,
  UpdateContainerDevicesResponse_Status as Status,
  type UpdateContainerDevicesRequest,
} from "../../contract/tremplin_pb.js";
import { findContainer } from "../containers/find-container.ts";
import { microphoneDevices, withMicrophone } from "../devices/microphone.ts";
import { checkContainerName } from "./container-name.ts";
import { type RpcDeps, withStatusErrors } from "./rpc.ts";

/** The kinds of devices that a container can be given, by the words of the contract. */
const MICROPHONE = "microphone";

/**
 * behaviour.md 13. Better than the original's (12 item 76): whatever fails is told in the answer; a kind counts as
 * changed only when it was; taking away what a container does not have is a success.
 */
export function updateContainerDevices(tools: RpcDeps) {
  return withStatusErrors(
    tools,
    async ({ containerName: name, updates }: UpdateContainerDevicesRequest, { signal }: HandlerContext) => {
      checkContainerName(name);
      const engine = tools.engine();
      if (!(await findContainer(engine, name, signal))) {
        const failureReason = `there is no container ${name}`;
        return { status: Status.NO_SUCH_CONTAINER, failureReason, results: {} };
      }
      const results: Record<string, Result> = {};
      for (const kind of Object.keys(updates)) results[kind] = Result.NO_SUCH_VM_DEVICE;
      const action = updates[MICROPHONE];
      if (action === undefined) return { status: Status.OK, failureReason: "", results };
      const found = await microphoneDevices(engine, tools.site);
      if (action === Action.ENABLE && Object.keys(found).length === 0) {
        return { status: Status.OK, failureReason: "", results };
      }
      try {
        await engine.instances.update(
          name,
          (instance) => ({
            ...instance,
            devices: withMicrophone(tools.site, instance.devices, action === Action.ENABLE ? found : {}),
          }),
          { signal },
        );
      } catch (error) {
        results[MICROPHONE] = Result.UPDATE_FAILED;
        return { status: Status.FAILED, failureReason: errorMessage(error), results };
      }
      results[MICROPHONE] = Result.SUCCESS;
      return { status: Status.OK, failureReason: "", results };
    },
    (failureReason) => ({ status: Status.FAILED, failureReason, results: {} }),
  );
}
