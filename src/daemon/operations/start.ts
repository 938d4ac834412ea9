import { TremplinError } from "../../base/tremplin-error.ts";
import {
  type StartContainerRequest,
  StartContainerRequestSchema,
  ContainerStartProgress_Status as Status,
} from "../../contract/tremplin_pb.js";
import { instanceStatus } from "../../engine/instance.ts";
import { microphoneDevices, withMicrophone } from "../devices/microphone.ts";
import { bindMountDevices, writeBindMounts } from "./bind-mounts.ts";
import { endings } from "./endings.ts";
import { forceStop, settle } from "./engine-work.ts";
import { findContainer, getContainer } from "./lookup.ts";
import type { OperationContext, OperationKind } from "./operation.ts";
import { wantsPrivilege } from "./privilege.ts";
import { refreshAptKey } from "./refresh-apt-key.ts";
import { forgetRemap, needsRemap, saveBeforeRemap, undoRemap } from "./remap.ts";
import { markFinished } from "./setup-mark.ts";
import { breakSilence, justWait } from "./silence.ts";
import type { Tools } from "./tools.ts";
import { writeAptList } from "./write-apt-list.ts";

/** Hosts extend their time-out on each; changing the owners of all files can take long (behaviour.md 5.4). */
const HEARTBEAT = 30_000;

/** Prepares and boots a container. */
export function startOperation(
  tools: Tools,
): OperationKind<typeof StartContainerRequestSchema, "updateStartStatus"> {
  async function start(request: StartContainerRequest, context: OperationContext) {
    const { id, signal, log } = context;
    const engine = tools.engine();
    const name = request.containerName;
    await writeAptList(tools, name, signal).catch((error) => log.error({ error }, "no package list written"));
    await configure(request, signal);
    const instance = await getContainer(engine, name, signal);
    const remaps = needsRemap(instance, undefined);
    if (remaps) await saveBeforeRemap(engine, name, id, signal);
    try {
      await (await engine.instances.setState(name, { action: "start" }, { signal })).wait({ signal });
    } catch (error) {
      // When the daemon ends there is no time to put it back, and the next one does it.
      if (remaps && !signal.aborted) await putBack(name, id);
      throw error;
    }
    await finish(name, context).catch((error) =>
      log.error({ error }, "it runs, but is not marked as started"),
    );
    void refreshAptKey(tools, name);
    return { containerName: name, status: Status.STARTED };
  }

  /** Sets devices and privilege in one change; devices that are not ours are left as they are. */
  async function configure(request: StartContainerRequest, signal: AbortSignal): Promise<void> {
    const privileged = wantsPrivilege(request.privilegeLevel);
    const mounts = await writeBindMounts(tools.site, tools.places, request);
    const captures = request.disableAudioCapture ? {} : await microphoneDevices(tools.engine(), tools.site);
    const ours = bindMountDevices(tools.site);
    await tools.engine().instances.update(
      request.containerName,
      (instance) => ({
        ...instance,
        config: {
          ...instance.config,
          ...(privileged !== undefined && { "security.privileged": String(privileged) }),
        },
        devices: {
          ...Object.fromEntries(
            Object.entries(withMicrophone(tools.site, instance.devices, captures)).filter(
              ([key]) => !ours.has(key),
            ),
          ),
          ...mounts,
        },
      }),
      { signal },
    );
  }

  async function finish(name: string, { id, signal }: OperationContext): Promise<void> {
    await forgetRemap(tools.engine(), name, id, signal);
    await markFinished(tools.engine(), name, signal);
  }

  async function putBack(name: string, id: string, signal?: AbortSignal): Promise<void> {
    await forceStop(tools.engine(), name, signal);
    await undoRemap(tools.engine(), name, id, signal);
  }

  return {
    name: "start",
    request: StartContainerRequestSchema,
    notify: "updateStartStatus",
    run: (request, context) =>
      breakSilence(justWait(start(request, context)), { every: HEARTBEAT, clock: tools.clock }, () => ({
        containerName: request.containerName,
        status: Status.STARTING,
      })),
    ...endings(Status),
    async recover({ containerName }, context) {
      const engine = tools.engine();
      await settle(engine, containerName, context.signal);
      const found = await findContainer(engine, containerName, context.signal);
      if (found?.status_code === instanceStatus.running) {
        await finish(containerName, context);
        return { containerName, status: Status.STARTED };
      }
      if (found) await putBack(containerName, context.id, context.signal);
      throw new TremplinError("failed", `the daemon died while it started ${containerName}; start it again`);
    },
  };
}
