import type { Clock } from "../../base/async/clock.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import { aptGet, dpkgConfigure } from "./apt.ts";
import { type ContainerExec, programFailure } from "./container-exec.ts";
import type { Health } from "./health.ts";
import { joinNames } from "./output-lines.ts";
import { failsAsBefore, hasNothingToDo, runPackageProgram } from "./package-program.ts";
import { missingFrom, readInstalledPackages } from "./package-state.ts";
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
  /** What worked before the upgrade. */
  readonly health: Health;
  readonly clock: Clock;
}

/** How long a restarted container may take to reach its mirrors. */
const NETWORK_TIMEOUT_MS = 60_000;
const NETWORK_RETRY_MS = 1_000;
/** How often an upgrade is begun again that stops only on packages that were broken before. */
const MAX_TRIES = 5;
/** How many removed packages are named; apt's output in the log has all. */
const MAX_NAMED = 150;

/**
 * Completes interrupted package operations before anything else, because every later phase would fail on them. A
 * failure is ignored here: bringUpToDate repairs them again with newer package lists.
 */
export async function repairPackages(context: UpgradeContext, from: Release): Promise<void> {
  await context.report.begin("repairing packages that are only partly installed", PHASE_WEIGHTS.repair);
  await repair(context, from);
}

/** Updates the current release and the archive keys, with Debian's own packages only. */
export async function bringUpToDate(context: UpgradeContext, from: Release): Promise<void> {
  await context.report.begin(`bringing ${releaseName(from)} up to date`, PHASE_WEIGHTS.current);
  await applyWorkarounds(context, from);
  await switchSources(context, from);
  await updatePackageLists(context, from);
  await changePackages(context, "repairing the packages", aptGet(from, "--fix-broken", "install"));
  await changePackages(context, "repairing the packages", dpkgConfigure);
  await changePackages(context, `renewing ${from.keyring}`, aptGet(from, "install", from.keyring));
  await changePackages(context, `upgrading within ${from.codename}`, aptGet(from, "upgrade"));
}

/**
 * Upgrades to the next release: first the packages that need no new ones, then all. Returns what a person should know
 * of it in the end, as sentences.
 */
export async function upgradeToRelease(context: UpgradeContext, to: Release): Promise<string[]> {
  const { exec, report } = context;
  const name = releaseName(to);
  await report.begin(`upgrading to ${name} without new packages`, PHASE_WEIGHTS.upgrade);
  const installed = await readInstalledPackages(exec);
  await switchSources(context, to);
  await updatePackageLists(context, to);
  const added = await packagesOfUnits(context);
  await changePackages(context, `the first part of the upgrade to ${to.codename}`, aptGet(to, "upgrade"));
  await report.begin(`upgrading to ${name}`, PHASE_WEIGHTS.distUpgrade);
  await distUpgrade(context, to, added);
  await report.begin("cleaning up", PHASE_WEIGHTS.cleanUp);
  const upgraded = await readInstalledPackages(exec);
  // Failures are ignored: unneeded packages do no harm.
  for (const command of ["autoremove", "clean"]) await runPackageProgram(context, aptGet(to, command));
  return [
    ...describeRemoved("the upgrade removed", missingFrom(installed, upgraded)),
    ...describeRemoved(
      "nothing that apt knows needs these any more, so autoremove removed them; a program installed by hand may need one:",
      missingFrom(upgraded, await readInstalledPackages(exec)),
    ),
    ...(await describeChanges(exec, to)),
  ];
}

function describeRemoved(what: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${what} ${joinNames(names, MAX_NAMED)}`];
}

async function describeChanges(exec: ContainerExec, { changes = [], codename }: Release): Promise<string[]> {
  const found: string[] = [];
  for (const { text, ifExists } of changes) {
    if (ifExists === undefined || (await exists(exec, ifExists))) found.push(`new in ${codename}: ${text}`);
  }
  return found;
}

/**
 * The packages of parts of systemd that run and that the next release has as packages of their own: without
 * systemd-resolved, a container of Debian 12 whose /etc/resolv.conf leads to it cannot resolve names.
 */
async function packagesOfUnits({ exec, health }: UpgradeContext): Promise<string[]> {
  const names = health.activeUnits.flatMap(
    (unit) => /^(systemd-[a-z0-9-]{1,60})\.(?:service|socket)$/.exec(unit)?.[1] ?? [],
  );
  if (names.length === 0) return [];
  const { stdout } = await exec.capture(["apt-cache", "--quiet", "policy", ...new Set(names)]);
  return parseNewPackages(stdout).filter((name) => names.includes(name));
}

/** The packages in the output of `apt-cache policy NAME ...` that exist and are not installed. */
export function parseNewPackages(policy: string): string[] {
  const found = policy.matchAll(/^(\S+):\n +Installed: \(none\)\n +Candidate: (?!\(none\))\S/gm);
  return [...found].map((block) => block[1] ?? "");
}

/** Retries for a while: a restarted container may have no network yet. */
async function updatePackageLists(context: UpgradeContext, release: Release): Promise<void> {
  const { exec, clock } = context;
  const what = `reading the package lists of ${release.codename}`;
  for (const end = clock.elapsed() + NETWORK_TIMEOUT_MS; ; await clock.sleep(NETWORK_RETRY_MS, exec.signal)) {
    const { exitCode, lastLines } = await runPackageProgram(context, aptGet(release, "update"));
    const isBroken = exitCode !== 0 || lastLines.some((line) => /^(E:|W: Failed to fetch)/.test(line));
    if (!isBroken) return;
    const isTransient = lastLines.some((line) =>
      /failure resolving|Could not (resolve|connect)|Unable to connect|unreachable/i.test(line),
    );
    if (!isTransient || clock.elapsed() > end) throw programFailure(what, exitCode, lastLines);
  }
}

/** Retries after a repair: some errors of apt do not occur again. `added`: packages to install with it. */
async function distUpgrade(context: UpgradeContext, to: Release, added: readonly string[]): Promise<void> {
  const { report, health } = context;
  const what = `the upgrade to ${to.codename}`;
  let reason: Error | undefined;
  for (let tries = 1; ; tries++) {
    const result = await runPackageProgram(context, aptGet(to, "dist-upgrade", ...added));
    if (result.exitCode === 0) return;
    const isOld = failsAsBefore(result, health);
    if (isOld && hasNothingToDo(result)) return await reportOldFailure(context, what);
    // The first failure names the cause.
    reason ??= programFailure(what, result.exitCode, result.lastLines);
    if (tries >= (isOld ? MAX_TRIES : 2)) throw reason;
    await report.say(`${reason.message}; repairing and retrying`);
    await repair(context, to);
  }
}

/** Runs apt or dpkg. Throws `failed` unless it succeeds, or fails only on packages that were broken before. */
async function changePackages(
  context: UpgradeContext,
  what: string,
  command: readonly string[],
): Promise<void> {
  const result = await runPackageProgram(context, command);
  if (result.exitCode === 0) return;
  if (failsAsBefore(result, context.health)) return await reportOldFailure(context, what);
  throw programFailure(what, result.exitCode, result.lastLines);
}

/** Completes what is only partly installed, if possible. */
async function repair(context: UpgradeContext, release: Release): Promise<void> {
  await runPackageProgram(context, dpkgConfigure);
  await runPackageProgram(context, aptGet(release, "--fix-broken", "install"));
}

async function reportOldFailure({ report, health }: UpgradeContext, what: string): Promise<void> {
  const names = joinNames([...health.brokenPackages]);
  await report.say(`${what}: some packages are not fully installed, as before the upgrade (${names})`);
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
