import { editAptSources } from "../guest/apt-sources.ts";
import { replaceFile } from "../guest/container-files.ts";
import { aptGetSimulation } from "./apt.ts";
import { type ContainerExec, programFailure } from "./container-exec.ts";
import type { Release, UpgradePath } from "./releases.ts";
import { removeSimulation, SIMULATION_FOLDER } from "./simulation-folder.ts";
import { type AptEstimate, parseEstimate } from "./size.ts";
import type { SourceFile } from "./source-files.ts";
import type { SourcePlan } from "./source-plan.ts";

const root = { uid: 0, gid: 0 };

export interface SimulationResult {
  /** Why the packages of a release cannot be fetched; undefined if they can. */
  readonly problem?: string;
  /** The container's keys are missing or expired for the new release; the upgrade renews them. */
  readonly needsNewKeys?: boolean;
  /** Undefined if apt cannot plan the upgrade before the installed packages are repaired. */
  readonly estimate?: AptEstimate;
}

/**
 * Fetches the package lists of all releases of a path and asks apt for its estimate. Uses lists and caches of its own,
 * which it removes at the end; apt's real ones do not change.
 */
export async function simulateUpgrade(
  exec: ContainerExec,
  originals: readonly SourceFile[],
  plan: SourcePlan,
): Promise<SimulationResult> {
  const { path } = plan;
  await removeSimulation(exec.engine, exec.container);
  try {
    await prepare(exec, originals, plan);
    const command = (...args: string[]) =>
      aptGetSimulation(optionsRelease(path), ...folderOptions(), ...args);
    const { exitCode, lastLines } = await exec.run(command("update"));
    if (exitCode !== 0 || lastLines.some((line) => /^(E:|W: Failed to fetch)/.test(line))) {
      return explainFailure(exitCode, lastLines);
    }
    const { stdout } = await exec.capture(command("dist-upgrade"));
    const estimate = parseEstimate(stdout);
    return estimate ? { estimate } : {};
  } finally {
    await removeSimulation(exec.engine, exec.container);
  }
}

async function prepare(
  exec: ContainerExec,
  originals: readonly SourceFile[],
  { path, switchTo }: SourcePlan,
): Promise<void> {
  const folders = ["sources", "lists/partial", "cache/archives/partial"];
  await exec.capture(["mkdir", "-p", "--", ...folders.map((folder) => `${SIMULATION_FOLDER}/${folder}`)]);
  using files = await exec.files();
  for (const release of path.releases) {
    for (const [index, file] of originals.entries()) {
      const name = `${release.codename}-${index}.${file.path.endsWith(".list") ? "list" : "sources"}`;
      const path = `${SIMULATION_FOLDER}/sources/${name}`;
      await replaceFile(files, path, editAptSources(file.path, file.content, switchTo(release)), {
        ...root,
        mode: 0o644,
      });
    }
  }
}

function folderOptions(): string[] {
  const settings = [
    "Dir::Etc::SourceList=/dev/null",
    `Dir::Etc::SourceParts=${SIMULATION_FOLDER}/sources`,
    `Dir::State::Lists=${SIMULATION_FOLDER}/lists`,
    `Dir::Cache=${SIMULATION_FOLDER}/cache`,
  ];
  return settings.flatMap((setting) => ["-o", setting]);
}

/** The release whose options are used for all: an archived one if the path has any, because they suit the others too. */
function optionsRelease({ releases, to }: UpgradePath): Release {
  return releases.find(({ archived }) => archived) ?? to;
}

function explainFailure(exitCode: number, lastLines: readonly string[]): SimulationResult {
  const text = lastLines.join("\n");
  const reason = programFailure("fetching the package lists of the new release", exitCode, lastLines).message;
  if (/is not valid yet/.test(text)) {
    return { problem: `the clock of this machine is behind the mirror's: correct it (${reason})` };
  }
  if (/Release file for .* is expired/.test(text)) {
    return { problem: `the mirror is out of date, or the clock of this machine is ahead (${reason})` };
  }
  // A missing or expired key, and no failed download.
  if (
    /NO_PUBKEY|EXPKEYSIG|is not signed|Missing key/.test(text) &&
    !/404|Could not|Unable to connect|Failed to fetch .*(404|Connection)/.test(text)
  ) {
    return { needsNewKeys: true };
  }
  return { problem: reason };
}
