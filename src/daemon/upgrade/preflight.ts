import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Instance } from "../../engine/resources/instance.ts";
import type { ContainerExec } from "./container-exec.ts";
import { isDebianSource, isMainSource } from "./debian-source.ts";
import { findStoragePool, missingSpace, readDiskUsage } from "./disk-space.ts";
import { plainLine } from "./output-lines.ts";
import { releaseName, type UpgradePath } from "./releases.ts";
import { simulateUpgrade } from "./simulate-upgrade.ts";
import { type AptEstimate, formatSize } from "./size.ts";
import { enabledSources, formatSource, readSourceFiles, type SourceFile } from "./source-files.ts";

/** What an upgrade would meet. Nothing was changed to find it out. */
export interface PreflightResult {
  /** What stands in its way, in sentences. Empty: it can begin. */
  readonly problems: readonly string[];
  /** What it will do and cost. */
  readonly notes: readonly string[];
  /** The apt sources as they are. */
  readonly sources: readonly SourceFile[];
}

/** Looks whether a container can be upgraded, and changes nothing in it. */
export async function preflight(
  engine: Engine,
  instance: Instance,
  inside: ContainerExec,
  path: UpgradePath,
): Promise<PreflightResult> {
  const sources = await readSources(inside);
  const entries = sources.flatMap(enabledSources);
  const packages = await checkPackages(inside);
  const problems = [...packages.problems];
  const notes = [
    `from ${releaseName(path.from)} to ${path.releases.map(releaseName).join(", then ")}`,
    ...packages.notes,
    ...entries
      .filter((entry) => !isDebianSource(entry))
      .map((entry) => `not of Debian, so it will be disabled and stay so: ${formatSource(entry)}`),
  ];
  if (!entries.some(isMainSource)) {
    problems.push(
      `its apt sources name no mirror of ${releaseName(path.from)}: add one in /etc/apt/sources.list.d and try again`,
    );
    return { problems, notes, sources };
  }
  const trial = await simulateUpgrade(inside, sources, path);
  if (trial.problem) problems.push(trial.problem);
  if (trial.needsNewKeys)
    notes.push("the keys of the new release are not known inside yet: they are renewed first");
  const { estimate } = trial;
  if (estimate) notes.push(costText(estimate));
  else if (!trial.problem) notes.push("apt gives no estimate before the packages of now are put right");
  const pool = await findStoragePool(engine, instance, inside.signal);
  const usage = await readDiskUsage(engine, inside);
  if (!pool.hasCheapSnapshots) notes.push(copyCostText(pool, usage));
  problems.push(
    ...(await missingSpace(inside, instance, pool, usage, estimate ?? { download: 0, growth: 0 })),
  );
  return { problems, notes, sources };
}

/** Throws `failed` with all that stands in the way. */
export function throwIfBlocked({ problems }: PreflightResult): void {
  if (problems.length > 0) throw new TremplinError("failed", problems.join("; "));
}

async function readSources(inside: ContainerExec): Promise<SourceFile[]> {
  using files = await inside.files();
  return await readSourceFiles(files);
}

async function checkPackages(inside: ContainerExec): Promise<{ problems: string[]; notes: string[] }> {
  const audit = await inside.capture(["dpkg", "--audit"]);
  if (audit.exitCode === 126 || audit.exitCode === 127) {
    throw new TremplinError("failed", "it has no dpkg that can be run, so it cannot be upgraded");
  }
  const held = (await inside.capture(["apt-mark", "showhold"])).stdout
    .split("\n")
    .filter((name) => name !== "");
  return {
    problems:
      held.length === 0
        ? []
        : [
            `packages are held back (${joinNames(held)}), which can make the upgrade impossible: release them with apt-mark unhold`,
          ],
    notes: audit.stdout.trim() === "" ? [] : ["dpkg was interrupted earlier: that is repaired first"],
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
  return `the storage pool ${name} (${driver}) has no cheap snapshots: the way back is a copy of the whole container${size}, which takes time and that much space until it is deleted, and going back copies it again`;
}
