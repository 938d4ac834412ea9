import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import { containerApt } from "./container-apt.ts";
import type { ContainerExec } from "./container-exec.ts";
import { findStoragePool, missingSpace, readDiskUsage } from "./disk-space.ts";
import { plainLine } from "./output-lines.ts";
import { releaseName, type UpgradePath } from "./releases.ts";
import { simulateUpgrade } from "./simulate-upgrade.ts";
import { removeSimulation } from "./simulation-folder.ts";
import { type AptEstimate, formatSize } from "./size.ts";
import { enabledSources, readSourceFiles, type SourceFile } from "./source-files.ts";
import { planSources, type SourcePlan } from "./source-plan.ts";

/** The result of a check before an upgrade. */
export interface PreflightResult {
  /** The reasons, as sentences, why the upgrade cannot start; empty if it can. */
  readonly problems: readonly string[];
  /** What the upgrade will do and cost, as sentences. */
  readonly notes: readonly string[];
  /** The current apt sources. */
  readonly sources: readonly SourceFile[];
  /** What becomes of them. */
  readonly plan: SourcePlan;
}

/** Checks whether a container can be upgraded. Changes nothing in it. */
export async function preflight(
  engine: Engine,
  instance: Instance,
  exec: ContainerExec,
  path: UpgradePath,
): Promise<PreflightResult> {
  const sources = await readSources(exec);
  const plan = await makePlan(exec, sources, path);
  const packages = await checkPackages(exec);
  const problems = [...packages.problems];
  const notes = [
    `from ${releaseName(path.from)} to ${path.releases.map(releaseName).join(", then ")}`,
    ...packages.notes,
    ...plan.notes,
  ];
  if (plan.problems.length > 0) {
    return { problems: [...problems, ...plan.problems], notes, sources, plan };
  }
  const simulation = await simulateUpgrade(exec, sources, plan);
  if (simulation.problem) problems.push(simulation.problem);
  if (simulation.needsNewKeys)
    notes.push("the container does not have the keys of the new release yet; they are renewed first");
  const { estimate } = simulation;
  if (estimate) notes.push(costText(estimate));
  else if (!simulation.problem) {
    notes.push("apt cannot estimate the cost before the installed packages are repaired");
  }
  const pool = await findStoragePool(engine, instance, exec.signal);
  const usage = await readDiskUsage(engine, exec);
  if (!pool.hasCheapSnapshots) notes.push(copyCostText(pool, usage));
  problems.push(...(await missingSpace(exec, instance, pool, usage, estimate ?? { download: 0, growth: 0 })));
  return { problems, notes, sources, plan };
}

/** Throws `failed` with all problems. */
export function throwIfBlocked({ problems }: PreflightResult): void {
  if (problems.length > 0) throw new TremplinError("failed", problems.join("; "));
}

async function readSources(exec: ContainerExec): Promise<SourceFile[]> {
  using files = await exec.files();
  return await readSourceFiles(files);
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

async function checkPackages(exec: ContainerExec): Promise<{ problems: string[]; notes: string[] }> {
  const audit = await exec.capture(["dpkg", "--audit"]);
  if (audit.exitCode === 126 || audit.exitCode === 127) {
    throw new TremplinError("failed", "it has no working dpkg, so it cannot be upgraded");
  }
  const held = (await exec.capture(["apt-mark", "showhold"])).stdout
    .split("\n")
    .filter((name) => name !== "");
  return {
    problems:
      held.length === 0
        ? []
        : [
            `packages are held back (${joinNames(held)}), which can block the upgrade: release them with apt-mark unhold`,
          ],
    notes: audit.stdout.trim() === "" ? [] : ["dpkg was interrupted earlier; this is repaired first"],
  };
}

function costText({ download, growth }: AptEstimate): string {
  return `${formatSize(download)} to download, and ${formatSize(Math.max(0, growth))} more on the disk`;
}

function joinNames(names: readonly string[]): string {
  const plain = names.map((name) => plainLine(name.slice(0, 80)));
  return plain.length > 8 ? `${plain.slice(0, 8).join(", ")} and ${plain.length - 8} more` : plain.join(", ");
}

function copyCostText({ name, driver }: { name: string; driver: string }, usage: number | undefined): string {
  const size = usage === undefined ? "" : `, about ${formatSize(usage)}`;
  return `the storage pool ${name} (${driver}) has no copy-on-write snapshots: the rollback snapshot is a copy of the whole container${size}, which takes time and that much space until it is deleted, and a rollback copies it again`;
}
