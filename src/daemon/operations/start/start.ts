import { errorMessage, TremplinError } from "../../../base/tremplin-error.ts";
import {
  type StartContainerRequest,
  StartContainerRequestSchema,
  ContainerStartProgress_Status as Status,
} from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import { type Instance, instanceStatus } from "../../../engine/resources/instance.ts";
import { bindMountDevices, writeBindMounts } from "../../containers/bind-mounts.ts";
import {
  describeStranger,
  findNotedContainer,
  noteContainer,
  wasUsed,
} from "../../containers/container-identity.ts";
import { waitForPendingOperations } from "../../containers/delete-container.ts";
import { getContainer } from "../../containers/find-container.ts";
import { markOperation } from "../../containers/operation-mark.ts";
import { markProvisioned } from "../../containers/provisioned-mark.ts";
import { microphoneDevices, withMicrophone } from "../../devices/microphone.ts";
import { failureMessages } from "../failure-messages.ts";
import { fromPromise, withHeartbeat } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { Interruption, OperationContext, OperationKind } from "../runner/operation.ts";
import {
  checkMayShiftIds,
  discardIdShiftSnapshot,
  rollBackIdShift,
  shiftsIds,
  snapshotBeforeIdShift,
} from "./id-shift.ts";
import { wantsPrivilege } from "./privilege.ts";
import { refreshAptKey } from "./refresh-apt-key.ts";
import { writeAptList } from "./write-apt-list.ts";

/** Hosts extend their time-out on each; changing the owners of all files can take long (behaviour.md 5.4). */
const HEARTBEAT = 30_000;
/** The step after which the snapshot of before a change of all owners is whole. */
const SAVED = "saved";

/** Prepares and boots a container. */
export function startOperation(
  tools: OperationDeps,
): OperationKind<typeof StartContainerRequestSchema, "updateStartStatus"> {
  async function start(request: StartContainerRequest, context: OperationContext) {
    const { signal, log } = context;
    const engine = tools.engine();
    const name = request.containerName;
    const found = await getContainer(engine, name, signal);
    checkMayShiftIds(found, wantsPrivilege(request.privilegeLevel));
    await noteContainer(engine, found, context, signal);
    await writeAptList(tools, name, signal).catch((error) => log.error({ error }, "no package list written"));
    await configure(request, signal);
    const configured = await getContainer(engine, name, signal);
    if (shiftsIds(configured)) await save(engine, configured, context);
    await (await engine.instances.setState(name, { action: "start" }, { signal })).wait({ signal });
    await finish(name, context);
    void refreshAptKey(tools, name);
    return { containerName: name, status: Status.STARTED };
  }

  /**
   * Takes the snapshot that an interrupted change of owners goes back to. A container that was never started is not kept
   * from that by a pool without room for one.
   */
  async function save(engine: Engine, instance: Instance, context: OperationContext): Promise<void> {
    const { id, signal, log } = context;
    const { name } = instance;
    await markOperation(engine, name, id, signal);
    try {
      await snapshotBeforeIdShift(engine, name, id, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (wasUsed(instance) || TremplinError.from(error).code === "unavailable") throw error;
      log.warn({ error }, "no snapshot could be taken before its first start");
      await discardIdShiftSnapshot(engine, name, id, signal);
      return;
    }
    await context.step(SAVED);
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

  /** It runs: what is left cannot make it fail any more, and is done later where it cannot be done now. */
  async function finish(name: string, context: OperationContext): Promise<void> {
    const { id, steps, shutdownSignal, log } = context;
    const engine = tools.engine();
    try {
      if (steps[SAVED]) await discardIdShiftSnapshot(engine, name, id, shutdownSignal);
      await markProvisioned(engine, name, shutdownSignal);
    } catch (error) {
      shutdownSignal.throwIfAborted();
      if (TremplinError.from(error).code === "unavailable") throw error;
      log.error({ error }, "it runs, but is not marked as started yet");
      context.owe(`it runs, but is not marked as started: ${errorMessage(error)}`);
    }
  }

  async function recover(name: string, context: OperationContext, interruption: Interruption) {
    const { signal, steps, id } = context;
    const engine = tools.engine();
    await waitForPendingOperations(engine, name, signal);
    const noted = await findNotedContainer(engine, name, context, signal);
    const failed = (failureReason: string) => ({
      containerName: name,
      status: Status.FAILED,
      failureReason,
    });
    if (noted.is !== "same") return failed(describeStranger(name, noted) ?? "");
    const { instance, isUsedSince } = noted;
    const runs = instance.status_code === instanceStatus.running;
    // Without the step a snapshot may be there that was not whole yet; older versions did not note it.
    const isSaved = steps[SAVED] || !noted.sighting;
    const kept = isSaved ? await rollBackIdShift(engine, noted, context, tools.clock.now()) : undefined;
    if (kept) return failed(kept);
    if (!isSaved) await discardIdShiftSnapshot(engine, instance.name, id, signal);
    if (runs && isUsedSince && !noted.isRenamed) {
      await finish(name, context);
      return { containerName: name, status: Status.STARTED };
    }
    const wasLive = interruption === "cancel" || interruption === "failure";
    const stranger = wasLive || runs ? undefined : describeStranger(name, noted);
    return stranger === undefined ? undefined : failed(stranger);
  }

  return {
    name: "start",
    request: StartContainerRequestSchema,
    notify: "updateStartStatus",
    run: (request, context) =>
      withHeartbeat(fromPromise(start(request, context)), { every: HEARTBEAT, clock: tools.clock }, () => ({
        containerName: request.containerName,
        status: Status.STARTING,
      })),
    ...failureMessages(Status),
    recover: ({ containerName }, context, interruption) => recover(containerName, context, interruption),
    interrupted: ({ containerName }, cause) => `${cause} while it started ${containerName}; start it again`,
  };
}
