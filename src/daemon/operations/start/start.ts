import { errorMessage, isUnavailable } from "../../../base/tremplin-error.ts";
import {
  type StartContainerRequest,
  StartContainerRequestSchema,
  ContainerStartProgress_Status as Status,
} from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import { type Instance, instanceStatus } from "../../../engine/resources/instance.ts";
import { reasonToLeave } from "../../containers/changes-since.ts";
import {
  findRecordedContainer,
  recordIdentity,
  wasEverStarted,
} from "../../containers/container-identity.ts";
import { getContainer } from "../../containers/find-container.ts";
import { markOperation } from "../../containers/operation-mark.ts";
import { waitForPendingOperations } from "../../containers/pending-operations.ts";
import { markProvisioned } from "../../containers/provisioned-mark.ts";
import { startInstance } from "../../containers/start-instance.ts";
import { failureMessages } from "../failure-messages.ts";
import { fromPromise, withHeartbeat } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { Interruption, OperationContext, OperationKind } from "../runner/operation.ts";
import { refreshAptKey, writeAptList } from "./apt.ts";
import { configureForStart, wantsPrivilege } from "./configure.ts";
import { findMissingAddress } from "./find-missing-address.ts";
import {
  checkMayShiftIds,
  discardIdShiftSnapshot,
  rollBackIdShift,
  shiftsIds,
  snapshotBeforeIdShift,
  startSteps,
} from "./id-shift.ts";

/** Hosts extend their timeout on each message, and an id shift can take long (docs/contract.md#startcontainer). */
const HEARTBEAT_MS = 30_000;

type Context = OperationContext<typeof startSteps>;

/** Configures and boots a container. */
export function startOperation(
  deps: OperationDeps,
): OperationKind<typeof StartContainerRequestSchema, "updateStartStatus", typeof startSteps> {
  return {
    name: "start",
    request: StartContainerRequestSchema,
    notify: "updateStartStatus",
    steps: startSteps,
    run: (request, context) =>
      withHeartbeat(
        fromPromise(start(deps, request, context)),
        { every: HEARTBEAT_MS, clock: deps.clock },
        () => ({
          containerName: request.containerName,
          status: Status.STARTING,
        }),
      ),
    ...failureMessages(Status),
    recover: ({ containerName }, context, interruption) =>
      recoverStart(deps, containerName, context, interruption),
    interrupted: ({ containerName }, cause) => `${cause} while it started ${containerName}; start it again`,
  };
}

async function start(deps: OperationDeps, request: StartContainerRequest, context: Context) {
  const { signal, log } = context;
  const engine = deps.engine();
  const name = request.containerName;
  const found = await getContainer(engine, name, signal);
  checkMayShiftIds(found, wantsPrivilege(request.privilegeLevel));
  await recordIdentity(engine, found, context, signal);
  await writeAptList(deps, name, signal).catch((error) => log.error({ error }, "no package list written"));
  await configureForStart(deps, request, signal);
  return await boot(deps, name, context);
}

/** Boots a stopped container as it is configured. */
export async function boot(deps: OperationDeps, name: string, context: Context) {
  const { signal } = context;
  const engine = deps.engine();
  const configured = await getContainer(engine, name, signal);
  // Beside the start, which takes longer.
  const missingAddress = findMissingAddress(engine, configured, signal);
  await deps.beforeBoot(configured);
  if (shiftsIds(configured)) await save(engine, configured, context);
  await startInstance(engine, name, signal);
  await finish(deps, name, context);
  void refreshAptKey(deps, name);
  return { containerName: name, status: Status.STARTED, failureReason: await missingAddress };
}

/**
 * Takes the snapshot that an interrupted id shift is rolled back to. The first start of a container goes on without
 * one where the pool has no space for it.
 */
async function save(engine: Engine, instance: Instance, context: Context): Promise<void> {
  const { id, signal, log } = context;
  const { name } = instance;
  await markOperation(engine, name, id, signal);
  try {
    await snapshotBeforeIdShift(engine, name, id, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (wasEverStarted(instance) || isUnavailable(error)) throw error;
    log.warn({ error }, "no snapshot could be taken before the first start of the container");
    await discardIdShiftSnapshot(engine, name, id, signal);
    return;
  }
  await context.step("saved");
}

/** The container runs, so nothing here makes the start fail. What cannot be done now is owed. */
async function finish(deps: OperationDeps, name: string, context: Context): Promise<void> {
  const { id, steps, shutdownSignal, log } = context;
  const engine = deps.engine();
  try {
    if (steps.saved) await discardIdShiftSnapshot(engine, name, id, shutdownSignal);
    await markProvisioned(engine, name, shutdownSignal);
  } catch (error) {
    shutdownSignal.throwIfAborted();
    if (isUnavailable(error)) throw error;
    log.error({ error }, "the container runs, but is not marked as started yet");
    context.owe(`it runs, but is not marked as started: ${errorMessage(error)}`);
  }
}

/** Recovers the start of a container, whatever began it. */
export async function recoverStart(
  deps: OperationDeps,
  name: string,
  context: Context,
  interruption: Interruption,
) {
  const { signal, steps, id } = context;
  const engine = deps.engine();
  await waitForPendingOperations(engine, name, signal);
  const match = await findRecordedContainer(engine, name, context, signal);
  const failed = (failureReason: string) => ({
    containerName: name,
    status: Status.FAILED,
    failureReason,
  });
  if (match.is !== "same") return failed(reasonToLeave(name, match) ?? "");
  const { instance, wasUsedSince } = match;
  const isRunning = instance.status_code === instanceStatus.running;
  // Without the step there may be a snapshot that is not whole. Older versions wrote no step.
  const isSaved = steps.saved || !match.recorded;
  const kept = isSaved ? await rollBackIdShift(engine, match, context, deps.clock.now()) : undefined;
  if (kept) return failed(kept);
  if (!isSaved) await discardIdShiftSnapshot(engine, instance.name, id, signal);
  if (isRunning && wasUsedSince && !match.isRenamed) {
    await finish(deps, name, context);
    return { containerName: name, status: Status.STARTED };
  }
  const isLive = interruption === "cancel" || interruption === "failure";
  const failureReason = isLive || isRunning ? undefined : reasonToLeave(name, match);
  return failureReason === undefined ? undefined : failed(failureReason);
}
