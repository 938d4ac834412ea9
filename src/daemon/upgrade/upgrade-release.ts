import type { Clock } from "../../base/async/clock.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { aptGet, dpkgConfigure } from "./apt.ts";
import { type ContainerExec, programFailure } from "./container-exec.ts";
import { type Release, releaseName, type UpgradePath } from "./releases.ts";
import { readSourceFiles, type SourceFile, writeSourceFiles } from "./source-files.ts";
import type { SourcePlan } from "./source-plan.ts";
import type { UpgradeReport } from "./upgrade-report.ts";

/** The share of each phase in the whole upgrade, measured with real containers. */
export const PHASE_WEIGHTS = {
  check: 4,
  save: 2,
  repair: 1,
  current: 12,
  upgrade: 14,
  distUpgrade: 40,
  cleanUp: 2,
  restart: 4,
} as const;

/** The sum of the weights of all phases of an upgrade. */
export function totalWeight({ releases }: UpgradePath): number {
  const { check, save, repair, current, upgrade, distUpgrade, cleanUp, restart } = PHASE_WEIGHTS;
  return check + save + repair + current + releases.length * (upgrade + distUpgrade + cleanUp + restart);
}

/** The dependencies of the phases of an upgrade. */
export interface UpgradeContext {
  readonly exec: ContainerExec;
  readonly report: UpgradeReport;
  /** The apt sources from before the upgrade. */
  readonly sources: readonly SourceFile[];
  readonly plan: SourcePlan;
  readonly clock: Clock;
}

/** How long a restarted container may take to reach its mirrors. */
const NETWORK_TIMEOUT_MS = 60_000;
const NETWORK_RETRY_MS = 1_000;

/**
 * Completes interrupted package operations before anything else, because every later phase would fail on them. A
 * failure is ignored here: bringUpToDate repairs them again with newer package lists.
 */
export async function repairPackages({ exec, report }: UpgradeContext, from: Release): Promise<void> {
  await report.begin("repairing packages that are only partly installed", PHASE_WEIGHTS.repair);
  await exec.run(dpkgConfigure);
  await exec.run(aptGet(from, "--fix-broken", "install"));
}

/** Updates the current release and the archive keys, with Debian's own packages only. */
export async function bringUpToDate(context: UpgradeContext, from: Release): Promise<void> {
  const { exec, report } = context;
  await report.begin(`bringing ${releaseName(from)} up to date`, PHASE_WEIGHTS.current);
  await applyWorkarounds(context, from);
  await switchSources(context, from);
  await updatePackageLists(context, from);
  await exec.runOrThrow("repairing the packages", aptGet(from, "--fix-broken", "install"));
  await exec.runOrThrow("repairing the packages", dpkgConfigure);
  await exec.runOrThrow(`renewing ${from.keyring}`, aptGet(from, "install", from.keyring));
  await exec.runOrThrow(`upgrading within ${from.codename}`, aptGet(from, "upgrade"));
}

/** Upgrades to the next release: first the packages that need no new ones, then all. */
export async function upgradeToRelease(context: UpgradeContext, to: Release): Promise<void> {
  const { exec, report } = context;
  const name = releaseName(to);
  await report.begin(`upgrading to ${name} without new packages`, PHASE_WEIGHTS.upgrade);
  await switchSources(context, to);
  await updatePackageLists(context, to);
  await exec.runOrThrow(`the first part of the upgrade to ${to.codename}`, aptGet(to, "upgrade"));
  await report.begin(`upgrading to ${name}`, PHASE_WEIGHTS.distUpgrade);
  await distUpgrade(context, to);
  await report.begin("cleaning up", PHASE_WEIGHTS.cleanUp);
  // Failures are ignored: unneeded packages do no harm.
  for (const command of ["autoremove", "clean"]) await exec.run(aptGet(to, command));
}

/** Retries for a while: a restarted container may have no network yet, or update its package lists itself. */
async function updatePackageLists({ exec, clock }: UpgradeContext, release: Release): Promise<void> {
  const what = `reading the package lists of ${release.codename}`;
  for (const end = clock.elapsed() + NETWORK_TIMEOUT_MS; ; await clock.sleep(NETWORK_RETRY_MS, exec.signal)) {
    const { exitCode, lastLines } = await exec.run(aptGet(release, "update"));
    const isBroken = exitCode !== 0 || lastLines.some((line) => /^(E:|W: Failed to fetch)/.test(line));
    if (!isBroken) return;
    const isTransient = lastLines.some((line) =>
      /failure resolving|Could not (resolve|connect|get lock)|Unable to connect|unreachable/i.test(line),
    );
    if (!isTransient || clock.elapsed() > end) throw programFailure(what, exitCode, lastLines);
  }
}

/** Retries once after a repair: some errors of apt do not occur again. */
async function distUpgrade({ exec, report }: UpgradeContext, to: Release): Promise<void> {
  const what = `the upgrade to ${to.codename}`;
  const first = await exec.run(aptGet(to, "dist-upgrade"));
  if (first.exitCode === 0) return;
  const reason = programFailure(what, first.exitCode, first.lastLines);
  await report.say(`${reason.message}; repairing and retrying`);
  await exec.run(dpkgConfigure);
  await exec.run(aptGet(to, "--fix-broken", "install"));
  const second = await exec.run(aptGet(to, "dist-upgrade"));
  // The first failure names the cause.
  if (second.exitCode !== 0) throw reason;
}

/** Edits the original content of each file; of files that appeared during the upgrade, the current content. */
async function switchSources({ exec, sources, plan }: UpgradeContext, release: Release): Promise<void> {
  using files = await exec.files();
  const known = new Map(sources.map((file) => [file.path, file]));
  const now = await readSourceFiles(files);
  await writeSourceFiles(
    files,
    now.map((file) => known.get(file.path) ?? file),
    plan.switchTo(release),
  );
}

async function applyWorkarounds({ exec, report }: UpgradeContext, release: Release): Promise<void> {
  for (const { message, ifExists, commands } of release.workarounds ?? []) {
    if (!(await exists(exec, ifExists))) continue;
    await report.say(message);
    for (const command of commands) await exec.run(command);
  }
}

async function exists(exec: ContainerExec, path: string): Promise<boolean> {
  using files = await exec.files();
  return (await files.stat(path).catch(ifMissing)) !== undefined;
}
