import { errorMessage, TremplinError } from "../../../base/tremplin-error.ts";
import {
  UpgradeContainerProgress_Status as Status,
  type UpgradeContainerRequest,
  UpgradeContainerRequestSchema,
} from "../../../contract/tremplin_pb.js";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import type { Instance } from "../../../engine/resources/instance.ts";
import { resumePaused, takeConsistentSnapshot } from "../../containers/consistent-snapshot.ts";
import { findNotedContainer, noteContainer } from "../../containers/container-identity.ts";
import { deleteSnapshot, waitForPendingOperations } from "../../containers/delete-container.ts";
import { getContainer } from "../../containers/find-container.ts";
import { markOperation, unmarkOperation } from "../../containers/operation-mark.ts";
import type { NoticeInit } from "../../notices/notice.ts";
import { ContainerExec } from "../../upgrade/container-exec.ts";
import { findUpgradePath } from "../../upgrade/container-release.ts";
import { plainLine } from "../../upgrade/output-lines.ts";
import { preflight, throwIfBlocked } from "../../upgrade/preflight.ts";
import { releaseName, releaseOfVersion, type UpgradePath } from "../../upgrade/releases.ts";
import { removeSimulation } from "../../upgrade/simulate-upgrade.ts";
import { UpgradeLog, upgradeLogPath } from "../../upgrade/upgrade-log.ts";
import {
  bringUpToDate,
  PHASE_WEIGHTS,
  repairPackages,
  totalWeight,
  upgradeToRelease,
} from "../../upgrade/upgrade-release.ts";
import { MAX_LINES, UpgradeReport } from "../../upgrade/upgrade-report.ts";
import { readPrimaryUserName, verifyRelease } from "../../upgrade/verify-release.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext, OperationKind } from "../runner/operation.ts";
import { retryWhileEngineUnavailable } from "./engine-return.ts";
import { restart } from "./restart.ts";
import { resumeRollback, rollbackSnapshotName, setRollbackExpiry } from "./rollback-snapshot.ts";
import { upgradeFailureMessages } from "./upgrade-failure.ts";

type Progress = NoticeInit<"upgradeContainerStatus">;

/** How the reason of a failure ends when the container could not be put back. */
export const NOT_PUT_BACK = "putting it back failed";

/**
 * Raises the Debian release inside a running container (behaviour.md 5.14) and proves the outcome. Nothing in it
 * changes before there is a snapshot; what fails, is cancelled or dies with the daemon after that is put back to
 * it. The journal knows where it stands: `saved`, then `proven`, or `failed` (with the reason) and `undone`.
 */
export function upgradeOperation(
  tools: OperationDeps,
): OperationKind<typeof UpgradeContainerRequestSchema, "upgradeContainerStatus"> {
  async function* run(
    request: UpgradeContainerRequest,
    context: OperationContext,
  ): AsyncGenerator<Progress, Progress, void> {
    const { containerName } = request;
    await using log = await UpgradeLog.open(upgradeLogPath(tools.places.state, containerName));
    const report = new UpgradeReport(log, tools.clock);
    const telling = report.stream(carryOut(request, context, report), () => context.progressAcknowledged());
    for (;;) {
      const { done, value } = await telling.next();
      if (done) {
        // Said only now, so that the final notice is what carries it.
        if (value.closing) await report.say(value.closing);
        return { ...value.end, progressMessages: await report.remainingLines() };
      }
      yield { containerName, status: Status.IN_PROGRESS, progressMessages: value };
    }
  }

  /**
   * Either upgraded and proven, or as before: answers which, with the sentence for the end. Throws only when the daemon
   * ends.
   */
  async function carryOut(
    request: UpgradeContainerRequest,
    context: OperationContext,
    report: UpgradeReport,
  ): Promise<{ end: Progress; closing?: string }> {
    const { containerName } = request;
    const { signal, shutdownSignal, log } = context;
    try {
      const path = await upgrade(request, context, report);
      const closing = await finish(containerName, path, context);
      return { end: { containerName, status: Status.SUCCEEDED }, closing };
    } catch (error) {
      shutdownSignal.throwIfAborted();
      log.warn({ error }, "the upgrade is given up");
      const reason = plainLine(errorMessage(signal.aborted ? signal.reason : error));
      await report.say(`given up: ${reason}`);
      await note(context, "failed", reason);
      const failureReason = await giveUp(containerName, reason, { context, report, isLive: true });
      return { end: { containerName, status: Status.FAILED, failureReason } };
    }
  }

  async function upgrade(
    { containerName, targetVersion }: UpgradeContainerRequest,
    context: OperationContext,
    report: UpgradeReport,
  ): Promise<UpgradePath> {
    const { id, signal } = context;
    const { clock } = tools;
    const inside = new ContainerExec({
      engine: tools.engine,
      container: containerName,
      listener: report,
      signal,
    });
    const path = await findUpgradePath(inside, releaseOfVersion(targetVersion));
    report.expect(totalWeight(path));
    await report.say(
      `upgrading ${containerName} to ${releaseName(path.to)}; every line is in ${report.path}`,
    );
    await report.begin("looking whether it can be done", PHASE_WEIGHTS.check);
    const instance = await getContainer(tools.engine(), containerName, signal);
    const findings = await preflight(tools.engine(), instance, inside, path);
    for (const sentence of [...findings.notes, ...findings.problems]) await report.say(sentence);
    throwIfBlocked(findings);
    checkStays(instance);
    const person = await readPrimaryUserName(inside, clock.now());
    await report.begin("taking the snapshot to go back to", PHASE_WEIGHTS.save);
    await noteContainer(tools.engine(), instance, context, signal);
    await markOperation(tools.engine(), containerName, id, signal);
    await takeConsistentSnapshot(tools.engine(), containerName, rollbackSnapshotName(id), context);
    await context.step("saved");
    const steps = { exec: inside, report, sources: findings.sources, clock };
    await repairPackages(steps, path.from);
    await bringUpToDate(steps, path.from);
    for (const release of path.releases) {
      await upgradeToRelease(steps, release);
      await report.begin("restarting it, and looking whether all is well", PHASE_WEIGHTS.restart);
      await restart(tools, containerName, signal);
      // Used since, by us: what is used after this, somebody else used.
      await noteContainer(
        tools.engine(),
        await getContainer(tools.engine(), containerName, signal),
        context,
        signal,
      );
      for (const note of await verifyRelease(inside, release, person, clock)) await report.say(note);
    }
    signal.throwIfAborted();
    await context.step("proven", releaseName(path.to));
    return path;
  }

  /** After the proof: nothing here can make it fail any more. Answers what to tell. */
  async function finish(
    containerName: string,
    { to }: Pick<UpgradePath, "to">,
    context: OperationContext,
  ): Promise<string> {
    await settleProven(containerName, context);
    return succeeded(containerName, releaseName(to));
  }

  async function settleProven(containerName: string, context: OperationContext): Promise<void> {
    const { id, shutdownSignal, log } = context;
    try {
      await retryWhileEngineUnavailable(tools, shutdownSignal, async (engine) => {
        const noted = await findNotedContainer(engine, containerName, context, shutdownSignal);
        // Whoever deleted it, or made another one, has settled this.
        if (noted.is !== "same") return;
        const { name: now } = noted.instance;
        await setRollbackExpiry(
          engine,
          now,
          rollbackSnapshotName(id),
          tools.clock.now(),
          shutdownSignal,
        ).catch(ifMissing);
        await unmarkOperation(engine, now, id, shutdownSignal).catch(ifMissing);
      });
    } catch (error) {
      shutdownSignal.throwIfAborted();
      log.error({ error }, "the snapshot of before the upgrade will not go by itself");
      context.owe(
        `the snapshot ${rollbackSnapshotName(id)} has no time yet at which it goes: ${errorMessage(error)}`,
      );
    }
  }

  /** Puts the container back where anything was changed. Answers the reason of the failure with what became of it. */
  async function giveUp(
    name: string,
    reason: string,
    { context, report, isLive }: { context: OperationContext; report?: UpgradeReport; isLive: boolean },
  ): Promise<string> {
    const { id, shutdownSignal } = context;
    const { steps } = context;
    const snapshot = rollbackSnapshotName(id);
    const waiting = (why: string) => report?.say(`waiting for the engine, to put ${name} back: ${why}`);
    try {
      if (steps.saved) {
        await report?.begin("putting it back to what it was before", 0);
        const back = { snapshot, isToRun: true, isLive };
        const stranger = await retryWhileEngineUnavailable(
          tools,
          shutdownSignal,
          (engine) => resumeRollback(engine, name, back, context),
          waiting,
        );
        if (stranger !== undefined) return await leave(name, `${reason}; ${stranger}`, context);
      }
    } catch (error) {
      shutdownSignal.throwIfAborted();
      if (TremplinError.from(error).code === "unavailable") throw error;
      context.log.error({ error }, NOT_PUT_BACK);
      const advice = `its snapshot ${snapshot} holds it as it was: try tremplin upgrade ${name} --undo`;
      return `${reason}; ${NOT_PUT_BACK}: ${errorMessage(error)}; ${advice}`;
    }
    await letGo(name, context, waiting);
    return `${reason}; ${steps.saved ? `${name} was put back to what it was before and runs` : "nothing in it was changed"}`;
  }

  /** It is as it was before: what cannot be taken away now is taken away later. */
  async function letGo(
    name: string,
    context: OperationContext,
    waiting: (why: string) => unknown,
  ): Promise<void> {
    const { id, shutdownSignal, steps } = context;
    const snapshot = rollbackSnapshotName(id);
    const forget = async (engine: Engine): Promise<void> => {
      await waitForPendingOperations(engine, name, shutdownSignal);
      const noted = await findNotedContainer(engine, name, context, shutdownSignal);
      if (noted.is !== "same") return;
      const { name: now } = noted.instance;
      if (!noted.isUsedSince) await resumePaused(engine, now, steps, shutdownSignal);
      await deleteSnapshot(engine, now, snapshot, shutdownSignal);
      await unmarkOperation(engine, now, id, shutdownSignal).catch(ifMissing);
    };
    try {
      await retryWhileEngineUnavailable(tools, shutdownSignal, forget, waiting);
      if (!steps.saved) await removeSimulation(tools.engine(), name);
    } catch (error) {
      shutdownSignal.throwIfAborted();
      if (TremplinError.from(error).code === "unavailable") throw error;
      context.log.error({ error }, "it is as it was before, but its snapshot could not be deleted yet");
      context.owe(`the snapshot ${snapshot} is still there: ${errorMessage(error)}`);
    }
  }

  /** Somebody went on with the container: it is not touched, and its snapshot stays for a while. */
  async function leave(containerName: string, reason: string, context: OperationContext): Promise<string> {
    const { id, shutdownSignal } = context;
    const engine = tools.engine();
    const snapshot = rollbackSnapshotName(id);
    const noted = await findNotedContainer(engine, containerName, context, shutdownSignal);
    if (noted.is !== "same") return reason;
    const { name } = noted.instance;
    if (!(await engine.snapshots.get(name, snapshot, { signal: shutdownSignal }).catch(ifMissing)))
      return reason;
    await setRollbackExpiry(engine, name, snapshot, tools.clock.now(), shutdownSignal);
    await unmarkOperation(engine, name, id, shutdownSignal);
    return `${reason}; for seven days its snapshot ${snapshot} holds it as it was before the upgrade: tremplin upgrade ${name} --undo goes back to that`;
  }

  return {
    name: "upgrade",
    request: UpgradeContainerRequestSchema,
    notify: "upgradeContainerStatus",
    run,
    ...upgradeFailureMessages,
    async recover({ containerName }, context, interruption) {
      const { proven, failed } = context.steps;
      if (proven) {
        await settleProven(containerName, context);
        const progressMessages = [succeeded(containerName, proven)];
        return { containerName, status: Status.SUCCEEDED, progressMessages };
      }
      const reason = failed ?? "the daemon died during the upgrade";
      const isLive = interruption !== "daemon";
      const failureReason = await giveUp(containerName, reason, { context, isLive });
      return { containerName, status: Status.FAILED, failureReason };
    },
    interrupted: ({ containerName }, cause) => `${cause} during the upgrade of ${containerName}`,
    coalesce: (older, newer) => {
      const lines = [...(older.progressMessages ?? []), ...(newer.progressMessages ?? [])];
      if (lines.length <= MAX_LINES) return { ...newer, progressMessages: lines };
      const path = upgradeLogPath(tools.places.state, newer.containerName ?? "");
      const first = `(lines are left out here; all are in ${path})`;
      return { ...newer, progressMessages: [first, ...lines.slice(1 - MAX_LINES)] };
    },
  };
}

/** Throws for a container that the engine deletes when it stops: the upgrade restarts it. */
function checkStays({ name, ephemeral }: Instance): void {
  if (!ephemeral) return;
  throw new TremplinError(
    "failed",
    `${name} is ephemeral, so it would be gone once the upgrade restarts it: make it a lasting one first`,
  );
}

/** Notes a step on the way back, which must not end on a disk out here that is full. */
async function note(context: OperationContext, name: string, value?: string): Promise<void> {
  await context.step(name, value).catch((error) => context.log.error({ error, name }, "a step is not noted"));
}

function succeeded(name: string, release: string): string {
  return `it runs ${release} now; for seven days tremplin upgrade ${name} --undo takes it back, and --keep gives that up and frees the space`;
}
