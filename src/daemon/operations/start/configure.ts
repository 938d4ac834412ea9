import { TremplinError } from "../../../base/tremplin-error.ts";
import {
  StartContainerRequest_PrivilegeLevel as Level,
  type StartContainerRequest,
} from "../../../contract/tremplin_pb.js";
import { bindMountDevices, writeBindMounts } from "../../containers/bind-mounts.ts";
import { microphoneDevices, withMicrophone } from "../../devices/microphone.ts";
import type { OperationDeps } from "../operation-deps.ts";

/** Whether a container is to be privileged; undefined to leave it as it is. Throws `invalid` on other numbers. */
export function wantsPrivilege(level: Level): boolean | undefined {
  if (level === Level.UNCHANGED) return undefined;
  if (level === Level.PRIVILEGED) return true;
  if (level === Level.UNPRIVILEGED) return false;
  throw new TremplinError(
    "invalid",
    `privilege level ${level} is unknown: 0 leaves it, 1 is without, 2 with`,
  );
}

/** Sets the devices and the privilege that a start asks for, in one change. Other devices stay as they are. */
export async function configureForStart(
  deps: OperationDeps,
  request: StartContainerRequest,
  signal: AbortSignal,
): Promise<void> {
  const privileged = wantsPrivilege(request.privilegeLevel);
  const mounts = await writeBindMounts(deps.site, deps.places, request);
  const captures = request.disableAudioCapture ? {} : await microphoneDevices(deps.engine(), deps.site);
  const replaced = bindMountDevices(deps.site);
  await deps.engine().instances.update(
    request.containerName,
    (instance) => ({
      ...instance,
      config: {
        ...instance.config,
        ...(privileged !== undefined && { "security.privileged": String(privileged) }),
      },
      devices: {
        ...Object.fromEntries(
          Object.entries(withMicrophone(deps.site, instance.devices, captures)).filter(
            ([name]) => !replaced.has(name),
          ),
        ),
        ...mounts,
      },
    }),
    { signal },
  );
}
