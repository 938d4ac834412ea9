import * as z from "zod";
import { TremplinError } from "../../../base/tremplin-error.ts";
import {
  type RestoreSnapshotRequest,
  RestoreSnapshotRequestSchema,
} from "../../../contract/tremplin/v1/guest_pb.js";
import { UpgradeContainerProgress_Status as Status } from "../../../contract/tremplin_pb.js";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { instanceStatus } from "../../../engine/resources/instance.ts";
import { bindMountFiles, withOwnFiles } from "../../containers/bind-mounts.ts";
import { LEFT_ALONE_ADVICE } from "../../containers/changes-since.ts";
import { findRecordedContainer, recordIdentity } from "../../containers/container-identity.ts";
import { settingsText } from "../../containers/container-settings.ts";
import { getContainer } from "../../containers/find-container.ts";
import { operationOf } from "../../containers/operation-mark.ts";
import { failureMessagesWithLine } from "../failure-messages.ts";
import { repeatWhile } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { Interruption, OperationContext, OperationKind } from "../runner/operation.ts";
import {
  abandonRollback,
  isBeforeRollback,
  resumeRollback,
  rollBack,
  rollbackSteps,
} from "../upgrade/rollback.ts";
import { checkOfPerson, noSuchSnapshot } from "./own-snapshot.ts";

/** On some pools a restore is a full copy, so it can take long. */
const HEARTBEAT_MS = 10_000;

const steps = {
  ...rollbackSteps,
  /** Whether the container was running. */
  runs: z.enum(["yes", "no"]),
  /** The mark that the snapshot carries; empty: none. */
  mark: z.string(),
};
type Context = OperationContext<typeof steps>;

/** Returns a container to a snapshot that a person took (docs/daily.md#snapshots). Its notices are those of an upgrade. */
export function restoreOperation(
  deps: OperationDeps,
): OperationKind<typeof RestoreSnapshotRequestSchema, "upgradeContainerStatus", typeof steps> {
  async function restore(request: RestoreSnapshotRequest, context: Context) {
    const { containerName, snapshotName } = request;
    const { signal } = context;
    const engine = deps.engine();
    const instance = await getContainer(engine, containerName, signal);
    const snapshot = await engine.snapshots.get(containerName, snapshotName, { signal }).catch(ifMissing);
    if (!snapshot) throw new TremplinError("not-found", noSuchSnapshot(containerName, snapshotName));
    checkOfPerson(containerName, snapshot);
    await recordIdentity(engine, instance, context, signal);
    const isToRun = instance.status_code === instanceStatus.running;
    const mark = operationOf(snapshot) ?? "";
    await context.step("runs", isToRun ? "yes" : "no");
    await context.step("mark", mark);
    const files = bindMountFiles(deps.site, deps.places, containerName);
    await rollBack(engine, containerName, { snapshot: snapshotName, files, isToRun, mark }, context);
    return done(request);
  }

  return {
    name: "restore",
    request: RestoreSnapshotRequestSchema,
    notify: "upgradeContainerStatus",
    steps,
    run(request, context) {
      const every = { every: HEARTBEAT_MS, clock: deps.clock };
      return repeatWhile(
        () => inProgress(request),
        () => restore(request, context),
        every,
      );
    },
    ...failureMessagesWithLine("returning to a snapshot failed"),
    recover: (request, context, interruption) => recover(deps, request, context, interruption),
    interrupted: ({ containerName, snapshotName }, cause) =>
      `${cause} before ${containerName} was returned to ${snapshotName}; restore it again`,
  };
}

/** Once the container carries the mark of the restore, that is completed, unless a user has used the container. */
async function recover(
  deps: OperationDeps,
  request: RestoreSnapshotRequest,
  context: Context,
  interruption: Interruption,
) {
  const { runs, mark, undone } = context.steps;
  const { containerName, snapshotName: snapshot } = request;
  if (mark === undefined) return undefined;
  const engine = deps.engine();
  const hasFailed = (interruption === "failure" || interruption === "cancel") && !undone;
  if (hasFailed || (interruption === "daemon" && isBeforeRollback(context))) {
    await abandonRollback(engine, containerName, context);
    return undefined;
  }
  const isLive = interruption !== "daemon";
  const files = bindMountFiles(deps.site, deps.places, containerName);
  const reason =
    (isLive ? undefined : await reasonToLeaveRestored(deps, request, context)) ??
    (await resumeRollback(
      engine,
      containerName,
      { snapshot, files, mark, isToRun: runs === "yes", isLive },
      context,
    ));
  if (reason === undefined) return done(request);
  return { containerName, status: Status.FAILED, failureReason: reason };
}

/** A restored container has the settings of the snapshot. With others, a user restored another one, or changed it since. */
async function reasonToLeaveRestored(
  deps: OperationDeps,
  { containerName, snapshotName }: RestoreSnapshotRequest,
  context: Context,
): Promise<string | undefined> {
  const { steps: taken, signal } = context;
  const engine = deps.engine();
  const match = await findRecordedContainer(engine, containerName, context, signal);
  if (match.is !== "same" || match.isRenamed || taken.undone) return undefined;
  if ((operationOf(match.instance) ?? "") !== taken.mark) return undefined;
  const snapshot = await engine.snapshots.get(containerName, snapshotName, { signal }).catch(ifMissing);
  const files = bindMountFiles(deps.site, deps.places, containerName);
  if (!snapshot || settingsOf(snapshot, files) === settingsOf(match.instance, files)) return undefined;
  return `${containerName} was restored or changed since by somebody else, ${LEFT_ALONE_ADVICE}`;
}

/** Engines leave the description out of a snapshot, and which of the site's files it has is ours. */
function settingsOf(
  settings: Parameters<typeof settingsText>[0],
  files: ReadonlyMap<string, string>,
): string {
  return settingsText({ ...settings, description: "", devices: withOwnFiles(settings.devices, files) });
}

function inProgress({ containerName, snapshotName }: RestoreSnapshotRequest) {
  const line = `returning ${containerName} to the snapshot ${snapshotName}`;
  return { containerName, status: Status.IN_PROGRESS, progressMessages: [line] };
}

function done({ containerName, snapshotName }: RestoreSnapshotRequest) {
  const line = `it was returned to the snapshot ${snapshotName}`;
  return { containerName, status: Status.SUCCEEDED, progressMessages: [line] };
}
