import type { Clock } from "../../base/async/clock.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { aptGet, dpkgConfigure } from "./apt.ts";
import { type ContainerExec, programFailure } from "./container-exec.ts";
import { switchSourcesTo } from "./debian-source.ts";
import { type Release, releaseName, type UpgradePath } from "./releases.ts";
import { readSourceFiles, type SourceFile, writeSourceFiles } from "./source-files.ts";
import type { UpgradeReport } from "./upgrade-report.ts";

/** How much of the whole each phase is, by a look at upgrades of real containers. */
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

/** The shares of all phases of an upgrade. */
export function totalWeight({ releases: steps }: UpgradePath): number {
  const { check, save, repair: repairing, current, upgrade, distUpgrade, cleanUp, restart } = PHASE_WEIGHTS;
  return check + save + repairing + current + steps.length * (upgrade + distUpgrade + cleanUp + restart);
}

/** What the steps of an upgrade work with. */
export interface UpgradeContext {
  readonly inside: ContainerExec;
  readonly report: UpgradeReport;
  /** The apt sources from before the upgrade. */
  readonly sources: readonly SourceFile[];
  readonly clock: Clock;
}

/** How long a restarted container may take to reach its mirrors. Milliseconds. */
const NETWORK_TIMEOUT_MS = 60_000;
const NETWORK_RETRY_MS = 1_000;

/**
 * Finishes what was interrupted, before anything else is touched: else every later step fails on it. What cannot be
 * finished without newer package lists waits for them.
 */
export async function repairPackages({ inside, report }: UpgradeContext, from: Release): Promise<void> {
  await report.begin("repairing what was left half installed", PHASE_WEIGHTS.repair);
  await inside.run(dpkgConfigure);
  await inside.run(aptGet(from, "--fix-broken", "install"));
}

/** Brings the release of now up to date, with the keys of the next one, from Debian alone. */
export async function bringUpToDate(steps: UpgradeContext, from: Release): Promise<void> {
  const { inside, report } = steps;
  await report.begin(`bringing ${releaseName(from)} up to date`, PHASE_WEIGHTS.current);
  await applyWorkarounds(steps, from);
  await switchSources(steps, from);
  await updatePackageLists(steps, from);
  await inside.runOrThrow("repairing the packages", aptGet(from, "--fix-broken", "install"));
  await inside.runOrThrow("repairing the packages", dpkgConfigure);
  await inside.runOrThrow(`renewing ${from.keyring}`, aptGet(from, "install", from.keyring));
  await inside.runOrThrow(`upgrading within ${from.codename}`, aptGet(from, "upgrade"));
}

/** One release to the next one: first what needs no new package, then all. */
export async function upgradeToRelease(steps: UpgradeContext, to: Release): Promise<void> {
  const { inside, report } = steps;
  const name = releaseName(to);
  await report.begin(`upgrading to ${name}, first part`, PHASE_WEIGHTS.upgrade);
  await switchSources(steps, to);
  await updatePackageLists(steps, to);
  await inside.runOrThrow(`the first part of the upgrade to ${to.codename}`, aptGet(to, "upgrade"));
  await report.begin(`upgrading to ${name}`, PHASE_WEIGHTS.distUpgrade);
  await distUpgrade(steps, to);
  await report.begin("cleaning up", PHASE_WEIGHTS.cleanUp);
  // What is left over harms nobody: that it cannot be removed is no reason to go back.
  for (const words of [["autoremove"], ["clean"]]) await inside.run(aptGet(to, ...words));
}

/** A container that was just restarted may have no network yet, or renew its lists itself: that is waited for. */
async function updatePackageLists({ inside, clock }: UpgradeContext, release: Release): Promise<void> {
  const what = `reading the package lists of ${release.codename}`;
  for (
    const end = clock.elapsed() + NETWORK_TIMEOUT_MS;
    ;
    await clock.sleep(NETWORK_RETRY_MS, inside.signal)
  ) {
    const { exitCode, lastLines } = await inside.run(aptGet(release, "update"));
    const isBroken = exitCode !== 0 || lastLines.some((line) => /^(E:|W: Failed to fetch)/.test(line));
    if (!isBroken) return;
    const isPassing = lastLines.some((line) =>
      /failure resolving|Could not (resolve|connect|get lock)|Unable to connect|unreachable/i.test(line),
    );
    if (!isPassing || clock.elapsed() > end) throw programFailure(what, exitCode, lastLines);
  }
}

/** Apt gives up at errors that are gone when it is asked again: then all of it must work. */
async function distUpgrade({ inside, report }: UpgradeContext, to: Release): Promise<void> {
  const what = `the upgrade to ${to.codename}`;
  const first = await inside.run(aptGet(to, "dist-upgrade"));
  if (first.exitCode === 0) return;
  const reason = programFailure(what, first.exitCode, first.lastLines);
  await report.say(`${reason.message}; trying to go on`);
  await inside.run(dpkgConfigure);
  await inside.run(aptGet(to, "--fix-broken", "install"));
  const second = await inside.run(aptGet(to, "dist-upgrade"));
  // The first failure is the one that tells the cause.
  if (second.exitCode !== 0) throw reason;
}

/** Files that came since the upgrade began are switched from what they say now, all others from what they said then. */
async function switchSources({ inside, sources }: UpgradeContext, release: Release): Promise<void> {
  using files = await inside.files();
  const known = new Map(sources.map((file) => [file.path, file]));
  const now = await readSourceFiles(files);
  await writeSourceFiles(
    files,
    now.map((file) => known.get(file.path) ?? file),
    switchSourcesTo(release),
  );
}

async function applyWorkarounds({ inside, report }: UpgradeContext, release: Release): Promise<void> {
  for (const { message: words, ifExists: where, commands } of release.workarounds ?? []) {
    if (!(await exists(inside, where))) continue;
    await report.say(words);
    for (const command of commands) await inside.run(command);
  }
}

async function exists(inside: ContainerExec, path: string): Promise<boolean> {
  using files = await inside.files();
  return (await files.stat(path).catch(ifMissing)) !== undefined;
}
