import { TremplinError } from "../../../base/tremplin-error.ts";
import {
  type CreateSnapshotRequest,
  CreateSnapshotRequestSchema,
} from "../../../contract/tremplin/v1/guest_pb.js";
import { UpgradeContainerProgress_Status as Status } from "../../../contract/tremplin_pb.js";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { reasonToLeave } from "../../containers/changes-since.ts";
import {
  snapshotSteps,
  takeConsistentSnapshot,
  unfreezeAfterSnapshot,
} from "../../containers/consistent-snapshot.ts";
import { findRecordedContainer, identitySteps, recordIdentity } from "../../containers/container-identity.ts";
import { removeOrphanedSnapshot } from "../../containers/delete-snapshot.ts";
import { getContainer } from "../../containers/find-container.ts";
import { waitForPendingOperations } from "../../containers/pending-operations.ts";
import { failureMessagesWithLine } from "../failure-messages.ts";
import { repeatWhile } from "../heartbeat.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext, OperationKind } from "../runner/operation.ts";

/** On some pools a snapshot is a full copy, so it can take long. */
const HEARTBEAT_MS = 10_000;

const steps = { ...identitySteps, ...snapshotSteps };
type Context = OperationContext<typeof steps>;

/** Takes a snapshot for a person (docs/daily.md#snapshots). Its notices are those of an upgrade. */
export function snapshotOperation(
  deps: OperationDeps,
): OperationKind<typeof CreateSnapshotRequestSchema, "upgradeContainerStatus", typeof steps> {
  async function take(request: CreateSnapshotRequest, context: Context) {
    const { containerName, snapshotName, lifetimeSeconds } = request;
    const { signal } = context;
    const engine = deps.engine();
    const found = await getContainer(engine, containerName, signal);
    if (await engine.snapshots.get(containerName, snapshotName, { signal }).catch(ifMissing)) {
      throw new TremplinError("exists", snapshotExists(containerName, snapshotName));
    }
    await recordIdentity(engine, found, context, signal);
    const lifetime = Number(lifetimeSeconds) * 1000;
    const expiresAt = lifetime > 0 ? new Date(deps.clock.now() + lifetime) : undefined;
    await takeConsistentSnapshot(engine, containerName, snapshotName, context, expiresAt);
    return done(request);
  }

  return {
    name: "snapshot",
    request: CreateSnapshotRequestSchema,
    notify: "upgradeContainerStatus",
    steps,
    run(request, context) {
      const every = { every: HEARTBEAT_MS, clock: deps.clock };
      return repeatWhile(
        () => inProgress(request),
        () => take(request, context),
        every,
      );
    },
    ...failureMessagesWithLine("taking a snapshot failed"),
    // A snapshot that the engine completes is the one that was asked for, also where nobody waits for it any more.
    async recover(request, context, interruption) {
      const { containerName, snapshotName } = request;
      const { signal } = context;
      if (!context.steps.container) return undefined;
      const engine = deps.engine();
      await waitForPendingOperations(engine, containerName, signal);
      const match = await findRecordedContainer(engine, containerName, context, signal);
      if (match.is !== "same") return failed(containerName, reasonToLeave(containerName, match));
      const { name } = match.instance;
      await unfreezeAfterSnapshot(engine, name, context.steps, signal);
      await removeOrphanedSnapshot(engine, name, snapshotName, signal);
      if (interruption === "failure") return undefined;
      const found = await engine.snapshots.get(name, snapshotName, { signal }).catch(ifMissing);
      return found && Date.parse(found.created_at) >= context.startedAt - CLOCK_GRAIN_MS
        ? done(request)
        : undefined;
    },
    interrupted: ({ containerName }, cause) =>
      `${cause} before the snapshot of ${containerName} was taken; take it again`,
  };
}

/** Engines round the time of a snapshot down to a second. */
const CLOCK_GRAIN_MS = 1000;

/** The refusal for a name that is in use. */
export function snapshotExists(container: string, snapshot: string): string {
  return `${container} has a snapshot ${snapshot} already; choose another name, or delete it first (tremplin delete ${container}/${snapshot})`;
}

function inProgress({ containerName, snapshotName }: CreateSnapshotRequest) {
  const line = `taking the snapshot ${snapshotName}`;
  return { containerName, status: Status.IN_PROGRESS, progressMessages: [line] };
}

function done({ containerName, snapshotName }: CreateSnapshotRequest) {
  const line = `the snapshot ${snapshotName} was taken`;
  return { containerName, status: Status.SUCCEEDED, progressMessages: [line] };
}

function failed(containerName: string, failureReason = "") {
  return { containerName, status: Status.FAILED, failureReason };
}
