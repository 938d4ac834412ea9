import * as z from "zod";
import { flagText } from "../../../base/text-codecs.ts";
import { errorMessage } from "../../../base/tremplin-error.ts";
import type { UpgradeContainerRequest } from "../../../contract/tremplin_pb.js";
import type { Instance } from "../../../engine/resources/instance.ts";
import { snapshotSteps, takeConsistentSnapshot } from "../../containers/consistent-snapshot.ts";
import { recordIdentity } from "../../containers/container-identity.ts";
import { forceStop } from "../../containers/delete-container.ts";
import { getContainer } from "../../containers/find-container.ts";
import { markOperation } from "../../containers/operation-mark.ts";
import { startInstance } from "../../containers/start-instance.ts";
import { checkDefaultRelease } from "../../upgrade/check-packages.ts";
import { ContainerExec } from "../../upgrade/container-exec.ts";
import { findUpgradePath } from "../../upgrade/container-release.ts";
import { preflight, throwIfBlocked } from "../../upgrade/preflight.ts";
import { releaseName, releaseOfVersion, type UpgradePath } from "../../upgrade/releases.ts";
import {
  bringUpToDate,
  PHASE_WEIGHTS,
  repairPackages,
  totalWeight,
  upgradeToRelease,
} from "../../upgrade/upgrade-release.ts";
import type { UpgradeReport } from "../../upgrade/upgrade-report.ts";
import { verifyRelease } from "../../upgrade/verify-release.ts";
import type { OperationDeps } from "../operation-deps.ts";
import type { OperationContext } from "../runner/operation.ts";
import { writeAptList } from "../start/apt.ts";
import { rollbackSteps } from "./rollback.ts";
import { rollbackSnapshotName } from "./rollback-snapshot.ts";

export const upgradeSteps = {
  ...rollbackSteps,
  ...snapshotSteps,
  /** The rollback snapshot is whole; only then does anything in the container change. */
  saved: flagText,
  /** The release that the container runs, verified. */
  proven: z.string(),
  /** Why the upgrade failed. */
  failed: z.string(),
};
export type UpgradeContext = OperationContext<typeof upgradeSteps>;

/** Seconds that a container may take to shut down before it is killed. */
const STOP_TIMEOUT_S = 60;

/** Upgrades a container from release to release and verifies each. Takes the rollback snapshot before any change. */
export async function performUpgrade(
  deps: OperationDeps,
  { containerName, targetVersion }: UpgradeContainerRequest,
  context: UpgradeContext,
  report: UpgradeReport,
): Promise<UpgradePath> {
  const { signal } = context;
  const { engine, clock } = deps;
  const inside = new ContainerExec({ engine, container: containerName, listener: report, signal });
  const asked = await findUpgradePath(inside, releaseOfVersion(targetVersion));
  report.expect(totalWeight(asked));
  await report.start(containerName, releaseName(asked.to));
  await report.begin("checking whether it can be upgraded", PHASE_WEIGHTS.check);
  const instance = await getContainer(engine(), containerName, signal);
  const findings = await preflight(engine(), instance, inside, asked, clock);
  for (const sentence of [...findings.notes, ...findings.problems]) await report.say(sentence);
  throwIfBlocked(findings);
  await report.begin("taking the rollback snapshot", PHASE_WEIGHTS.save);
  await save(deps, instance, context);
  const { sources, plan, health } = findings;
  const { path } = plan;
  const release = { exec: inside, report, sources, plan, health, clock };
  const remarks: string[] = [];
  await repairPackages(release, path.from);
  await bringUpToDate(release, path.from);
  for (const next of path.releases) {
    remarks.push(...(await upgradeToRelease(release, next)));
    await report.begin("restarting and verifying it", PHASE_WEIGHTS.restart);
    await restart(deps, containerName, signal);
    // Whatever uses the container after this restart is not the upgrade.
    const restarted = await getContainer(engine(), containerName, signal);
    await recordIdentity(engine(), restarted, context, signal);
    for (const note of await verifyRelease(inside, next, health, clock)) await report.say(note);
  }
  remarks.push(...(await checkDefaultRelease(inside, path.to)));
  for (const remark of remarks) await report.say(remark);
  signal.throwIfAborted();
  await context.step("proven", releaseName(path.to));
  return path;
}

async function save(deps: OperationDeps, instance: Instance, context: UpgradeContext): Promise<void> {
  const { id, signal } = context;
  const { name } = instance;
  await recordIdentity(deps.engine(), instance, context, signal);
  await markOperation(deps.engine(), name, id, signal);
  await takeConsistentSnapshot(deps.engine(), name, rollbackSnapshotName(id), context);
  await context.step("saved");
}

/** Stops and starts a container, as a person would. */
async function restart(deps: OperationDeps, name: string, signal: AbortSignal): Promise<void> {
  const engine = deps.engine();
  try {
    const change = { action: "stop", timeout: STOP_TIMEOUT_S } as const;
    await (await engine.instances.setState(name, change, { signal })).wait({ signal });
  } catch (error) {
    signal.throwIfAborted();
    deps.log.info(
      { container: name, reason: errorMessage(error) },
      "the container does not shut down: killing it",
    );
    await forceStop(engine, name, signal);
  }
  await writeAptList(deps, name, signal).catch((error) =>
    deps.log.error({ error }, "no package list written"),
  );
  await startInstance(engine, name, signal);
}
