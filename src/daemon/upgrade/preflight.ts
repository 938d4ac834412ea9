import type { Clock } from "../../base/async/clock.ts";
import { pollUntil } from "../../base/async/poll-until.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import { checkFileSystems } from "./check-file-systems.ts";
import { checkPackages } from "./check-packages.ts";
import { containerApt } from "./container-apt.ts";
import type { ContainerExec } from "./container-exec.ts";
import { findStoragePool, missingSpace, readDiskUsage } from "./disk-space.ts";
import { type Health, readHealth } from "./health.ts";
import { joinNames } from "./output-lines.ts";
import { releaseName, type UpgradePath } from "./releases.ts";
import { simulateUpgrade } from "./simulate-upgrade.ts";
import { removeSimulation } from "./simulation-folder.ts";
import { type AptEstimate, formatSize } from "./size.ts";
import { enabledSources, readSourceFiles, type SourceFile } from "./source-files.ts";
import { planSources, type SourcePlan } from "./source-plan.ts";
import { readInitState } from "./systemd-units.ts";

/** What a check found. */
export interface Findings {
  /** The reasons, as sentences, why the upgrade cannot start; empty if it can. */
  readonly problems: readonly string[];
  /** What the upgrade will do and cost, as sentences. */
  readonly notes: readonly string[];
}

/** The result of all checks before an upgrade. */
export interface PreflightResult extends Findings {
  /** The current apt sources. */
  readonly sources: readonly SourceFile[];
  /** What becomes of them. */
  readonly plan: SourcePlan;
  /** What works now, and must work after the upgrade. */
  readonly health: Health;
}

/** The container that is checked. */
interface Subject {
  readonly engine: Engine;
  readonly instance: Instance;
  readonly exec: ContainerExec;
  readonly sources: readonly SourceFile[];
  readonly plan: SourcePlan;
  readonly health: Health;
}

type Check = (subject: Subject) => Promise<Findings>;

/**
 * All that could stop an upgrade and can be known before. The look and the upgrade itself ask these same questions; a
 * new one is a row.
 */
const checks: readonly Check[] = [
  checkEphemeral,
  checkArchitecture,
  async ({ exec }) => ({ problems: await checkFileSystems(exec), notes: [] }),
  ({ exec }) => checkPackages(exec),
  checkHealth,
  async ({ plan: { problems, notes } }) => ({ problems, notes }),
  checkPlanAndSpace,
];

/** How long a container that was just started may take until it is asked what works. */
const START_TIMEOUT_MS = 30_000;
const START_POLL_MS = 500;

/** Checks whether a container can be upgraded. Changes nothing in it. */
export async function preflight(
  engine: Engine,
  instance: Instance,
  exec: ContainerExec,
  path: UpgradePath,
  clock: Clock,
): Promise<PreflightResult> {
  await waitForStart(exec, clock);
  const sources = await readSources(exec);
  const plan = await makePlan(exec, sources, path);
  const health = await readHealth(exec, sources);
  const problems: string[] = [];
  const notes = [`from ${releaseName(path.from)} to ${path.releases.map(releaseName).join(", then ")}`];
  for (const check of checks) {
    const found = await check({ engine, instance, exec, sources, plan, health });
    problems.push(...found.problems);
    notes.push(...found.notes);
  }
  return { problems, notes, sources, plan, health };
}

/** Throws `failed` with all problems. */
export function throwIfBlocked({ problems }: PreflightResult): void {
  if (problems.length > 0) throw new TremplinError("failed", problems.join("; "));
}

async function readSources(exec: ContainerExec): Promise<SourceFile[]> {
  using files = await exec.files();
  return await readSourceFiles(files);
}

/** A container that still starts may have no network yet. One that never finishes is asked as it is. */
async function waitForStart(exec: ContainerExec, clock: Clock): Promise<void> {
  const hasStarted = async () => !/^(initializing|starting)$/.test(await readInitState(exec));
  const { signal } = exec;
  await pollUntil(hasStarted, { clock, timeoutMs: START_TIMEOUT_MS, intervalMs: START_POLL_MS, signal });
}

async function makePlan(
  exec: ContainerExec,
  sources: readonly SourceFile[],
  path: UpgradePath,
): Promise<SourcePlan> {
  try {
    return await planSources(containerApt(exec), sources.flatMap(enabledSources), path);
  } finally {
    await removeSimulation(exec.engine, exec.container);
  }
}

/** The upgrade restarts a container, and the engine deletes an ephemeral one when it stops. */
async function checkEphemeral({ instance: { name, ephemeral } }: Subject): Promise<Findings> {
  const problem = `${name} is ephemeral, so it would be deleted when the upgrade restarts it: clear its ephemeral flag first`;
  return { problems: ephemeral ? [problem] : [], notes: [] };
}

async function checkArchitecture({ exec, plan }: Subject): Promise<Findings> {
  const architecture = (await exec.capture(["dpkg", "--print-architecture"])).stdout.trim();
  const end = plan.path.releases.find((release) => release.droppedArchitectures?.includes(architecture));
  if (!end) return { problems: [], notes: [] };
  const problem = `${releaseName(end)} does not support the architecture ${architecture} of this container`;
  return { problems: [`${problem}: create a new container and copy your files there`], notes: [] };
}

/** What does not work now is not asked for after the upgrade, so it is said. */
async function checkHealth({ health }: Subject): Promise<Findings> {
  const { names, reachable, failedUnits, busyUnits } = health;
  const stuck = [...failedUnits, ...busyUnits];
  const notes = [
    ...(names.length > 0 && ![...reachable].some((thing) => thing.startsWith("resolving"))
      ? [`it cannot resolve ${joinNames(names)} now, so that is not checked after the upgrade`]
      : []),
    ...(stuck.length > 0
      ? [`these units do not run now, so they are not checked after the upgrade: ${joinNames(stuck)}`]
      : []),
  ];
  return { problems: [], notes };
}

/** Needs a mirror. */
async function checkPlanAndSpace({ engine, instance, exec, sources, plan }: Subject): Promise<Findings> {
  if (plan.problems.length > 0) return { problems: [], notes: [] };
  const { problems, notes, estimate } = await simulateUpgrade(exec, sources, plan);
  const pool = await findStoragePool(engine, instance, exec.signal);
  const usage = await readDiskUsage(engine, exec);
  return {
    problems: [
      ...problems,
      ...(await missingSpace(exec, instance, pool, usage, estimate ?? { download: 0, growth: 0 })),
    ],
    notes: [
      ...notes,
      ...(estimate ? [costText(estimate)] : []),
      ...(pool.hasCheapSnapshots ? [] : [copyCostText(pool, usage)]),
    ],
  };
}

function costText({ download, growth }: AptEstimate): string {
  return `${formatSize(download)} to download, and ${formatSize(Math.max(0, growth))} more on the disk`;
}

function copyCostText({ name, driver }: { name: string; driver: string }, usage: number | undefined): string {
  const size = usage === undefined ? "" : `, about ${formatSize(usage)}`;
  return `the storage pool ${name} (${driver}) has no copy-on-write snapshots: the rollback snapshot is a copy of the whole container${size}, which takes time and that much space until it is deleted, and a rollback copies it again`;
}
