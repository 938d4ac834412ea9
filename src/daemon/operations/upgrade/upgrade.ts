import { errorMessage } from "../../../base/tremplin-error.ts";
import {
  UpgradeContainerProgress_Status as Status,
  type UpgradeContainerRequest,
  UpgradeContainerRequestSchema,
} from "../../../contract/tremplin_pb.js";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { findRecordedContainer } from "../../containers/container-identity.ts";
import { unmarkOperation } from "../../containers/operation-mark.ts";
import type { NoticeInit } from "../../notices/notice.ts";
import { plainLine } from "../../upgrade/output-lines.ts";
import { releaseName } from "../../upgrade/releases.ts";
import { UpgradeLog, upgradeLogPath } from "../../upgrade/upgrade-log.ts";
import { MAX_LINES, UpgradeReport } from "../../upgrade/upgrade-report.ts";
import { upgradeFailureMessages } from "../failure-messages.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationKind } from "../runner/operation.ts";
import { abandonUpgrade } from "./abandon-upgrade.ts";
import { performUpgrade, type UpgradeContext, upgradeSteps } from "./perform-upgrade.ts";
import { retryWhileEngineUnavailable } from "./retry-while-unavailable.ts";
import { rollbackSnapshotName, setRollbackExpiry } from "./rollback-snapshot.ts";

type Progress = NoticeInit<"upgradeContainerStatus">;

/**
 * Upgrades the Debian release inside a running container and verifies it (docs/contract.md#upgradecontainer). Changes
 * nothing before there is a rollback snapshot; an upgrade that fails, is cancelled or dies with the daemon after that is
 * rolled back.
 */
export function upgradeOperation(
  deps: OperationDeps,
): OperationKind<typeof UpgradeContainerRequestSchema, "upgradeContainerStatus", typeof upgradeSteps> {
  return {
    name: "upgrade",
    request: UpgradeContainerRequestSchema,
    notify: "upgradeContainerStatus",
    steps: upgradeSteps,
    run: (request, context) => run(deps, request, context),
    ...upgradeFailureMessages,
    async recover({ containerName }, context, interruption) {
      const { proven, failed } = context.steps;
      if (proven) {
        await finish(deps, containerName, context);
        const progressMessages = [succeeded(containerName, proven)];
        return { containerName, status: Status.SUCCEEDED, progressMessages };
      }
      const failureReason = await abandonUpgrade(deps, {
        name: containerName,
        reason: failed ?? "the daemon died during the upgrade",
        context,
        isLive: interruption !== "daemon",
      });
      return { containerName, status: Status.FAILED, failureReason };
    },
    interrupted: ({ containerName }, cause) => `${cause} during the upgrade of ${containerName}`,
    coalesce: (older, newer) => {
      const lines = [...(older.progressMessages ?? []), ...(newer.progressMessages ?? [])];
      if (lines.length <= MAX_LINES) return { ...newer, progressMessages: lines };
      const path = upgradeLogPath(deps.places.state, newer.containerName ?? "");
      const first = `(lines are left out here; all are in ${path})`;
      return { ...newer, progressMessages: [first, ...lines.slice(1 - MAX_LINES)] };
    },
  };
}

async function* run(
  deps: OperationDeps,
  request: UpgradeContainerRequest,
  context: UpgradeContext,
): AsyncGenerator<Progress, Progress, void> {
  const { containerName } = request;
  await using log = await UpgradeLog.open(upgradeLogPath(deps.places.state, containerName));
  const report = new UpgradeReport(log, deps.clock);
  const batches = report.stream(upgradeOrRollBack(deps, request, context, report), () =>
    context.progressAcknowledged(),
  );
  for (;;) {
    const { done, value } = await batches.next();
    if (done) {
      // Comes last, so that the final notice carries it.
      if (value.closing) await report.say(value.closing);
      return { ...value.end, progressMessages: await report.remainingLines() };
    }
    yield { containerName, status: Status.IN_PROGRESS, progressMessages: value };
  }
}

/** Returns the final message, and the last sentence of a success. Throws only when the daemon shuts down. */
async function upgradeOrRollBack(
  deps: OperationDeps,
  request: UpgradeContainerRequest,
  context: UpgradeContext,
  report: UpgradeReport,
): Promise<{ end: Progress; closing?: string }> {
  const { containerName } = request;
  const { signal, shutdownSignal, log } = context;
  try {
    const { to } = await performUpgrade(deps, request, context, report);
    await finish(deps, containerName, context);
    const closing = succeeded(containerName, releaseName(to));
    return { end: { containerName, status: Status.SUCCEEDED }, closing };
  } catch (error) {
    shutdownSignal.throwIfAborted();
    log.warn({ error }, "abandoning the upgrade");
    const reason = plainLine(errorMessage(signal.aborted ? signal.reason : error));
    await report.say(`failed: ${reason}`);
    // A full disk of this machine must not stop the rollback.
    await context.step("failed", reason).catch((failure) => {
      log.error({ error: failure }, "the failure of the upgrade could not be written to the journal");
    });
    const failureReason = await abandonUpgrade(deps, {
      name: containerName,
      reason,
      context,
      report,
      isLive: true,
    });
    return { end: { containerName, status: Status.FAILED, failureReason } };
  }
}

/** Lets the rollback snapshot expire. The upgrade is verified, so what fails here is owed. */
async function finish(deps: OperationDeps, containerName: string, context: UpgradeContext): Promise<void> {
  const { id, shutdownSignal: signal, log } = context;
  const snapshot = rollbackSnapshotName(id);
  try {
    await retryWhileEngineUnavailable(deps, signal, async (engine) => {
      const match = await findRecordedContainer(engine, containerName, context, signal);
      // A user deleted the container, and its snapshots with it.
      if (match.is !== "same") return;
      const { name: now } = match.instance;
      await setRollbackExpiry(engine, now, snapshot, deps.clock.now(), signal).catch(ifMissing);
      await unmarkOperation(engine, now, id, signal).catch(ifMissing);
    });
  } catch (error) {
    signal.throwIfAborted();
    log.error({ error }, "the rollback snapshot has no expiry yet");
    context.owe(`the snapshot ${snapshot} has no expiry yet: ${errorMessage(error)}`);
  }
}

function succeeded(name: string, release: string): string {
  return `it runs ${release} now; for seven days tremplin upgrade ${name} --rollback rolls it back, and --commit deletes the rollback snapshot and frees its space`;
}
