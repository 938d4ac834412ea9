import type { HandlerContext } from "@connectrpc/connect";
import { checkContainerName } from "../../base/container-name.ts";
import { errorMessage } from "../../base/tremplin-error.ts";
import {
  VmDeviceAction as Action,
  UpdateContainerDevicesResponse_UpdateResult as Result,
  UpdateContainerDevicesResponse_Status as Status,
  type UpdateContainerDevicesRequest,
} from "../../contract/tremplin_pb.js";
import { findContainer, noSuchContainer } from "../containers/find-container.ts";
import { microphoneDevices, withMicrophone } from "../devices/microphone.ts";
import { type RpcDeps, withStatusErrors } from "./rpc.ts";

/** The only kind of device that the contract defines. */
const MICROPHONE = "microphone";

/**
 * docs/contract.md#newer-fields. A kind counts as changed only when it was; removing a device that the container does
 * not have succeeds.
 */
export function updateContainerDevices(deps: RpcDeps) {
  return withStatusErrors(
    deps,
    async ({ containerName: name, updates }: UpdateContainerDevicesRequest, { signal }: HandlerContext) => {
      checkContainerName(name);
      const engine = deps.engine.running();
      if (!(await findContainer(engine, name, signal))) {
        return { status: Status.NO_SUCH_CONTAINER, failureReason: noSuchContainer(name), results: {} };
      }
      const results: Record<string, Result> = {};
      for (const kind of Object.keys(updates)) results[kind] = Result.NO_SUCH_VM_DEVICE;
      const action = updates[MICROPHONE];
      if (action === undefined) return { status: Status.OK, failureReason: "", results };
      const found = await microphoneDevices(engine, deps.site);
      if (action === Action.ENABLE && Object.keys(found).length === 0) {
        return { status: Status.OK, failureReason: "", results };
      }
      try {
        await engine.instances.update(
          name,
          (instance) => ({
            ...instance,
            devices: withMicrophone(deps.site, instance.devices, action === Action.ENABLE ? found : {}),
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
