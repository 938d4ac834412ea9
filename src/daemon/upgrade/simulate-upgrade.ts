import type { Engine } from "../../engine/engine.ts";
import { editAptSources } from "../guest/apt-sources.ts";
import { replaceFile } from "../guest/container-files.ts";
import { aptGetSimulation } from "./apt.ts";
import { type ContainerExec, programFailure } from "./container-exec.ts";
import { switchSourcesTo } from "./debian-source.ts";
import type { Release, UpgradePath } from "./releases.ts";
import { type AptEstimate, parseEstimate } from "./size.ts";
import type { SourceFile } from "./source-files.ts";

/** Everything of a trial lies here, and nothing of it elsewhere. */
const SIMULATION_FOLDER = "/var/tmp/tremplin-upgrade";
/** For removing it. Milliseconds. */
const REMOVAL_TIMEOUT_MS = 10_000;

const root = { uid: 0, gid: 0 };

export interface SimulationResult {
  /** Why the packages of a release cannot be had; undefined where they can. */
  readonly problem?: string;
  /** The keys inside do not know the new release, or not any more: renewing them is part of the upgrade. */
  readonly needsNewKeys?: boolean;
  /** Undefined where apt sees no way before the packages of now are put right. */
  readonly estimate?: AptEstimate;
}

/**
 * Asks the mirrors for the releases of a path and apt for its estimate, with lists and caches of its own: apt's
 * real ones are not touched, and when this has ended nothing of it is left.
 */
export async function simulateUpgrade(
  inside: ContainerExec,
  originals: readonly SourceFile[],
  path: UpgradePath,
): Promise<SimulationResult> {
  await removeSimulation(inside.engine, inside.container);
  try {
    await prepare(inside, originals, path.releases);
    const command = (...words: string[]) =>
      aptGetSimulation(optionsRelease(path), ...folderOptions(), ...words);
    const { exitCode, lastLines } = await inside.run(command("update"));
    if (exitCode !== 0 || lastLines.some((line) => /^(E:|W: Failed to fetch)/.test(line))) {
      return explainFailure(exitCode, lastLines);
    }
    const { stdout } = await inside.capture(command("dist-upgrade"));
    const estimate = parseEstimate(stdout);
    return estimate ? { estimate } : {};
  } finally {
    await removeSimulation(inside.engine, inside.container);
  }
}

/** Removes what a trial left that was cancelled, or died with its daemon, as far as that can be done now. */
export async function removeSimulation(engine: Engine, container: string): Promise<void> {
  const signal = AbortSignal.timeout(REMOVAL_TIMEOUT_MS);
  await engine
    .execCapture(container, ["rm", "-rf", "--", SIMULATION_FOLDER], { signal })
    .catch(() => undefined);
}

async function prepare(
  inside: ContainerExec,
  originals: readonly SourceFile[],
  steps: readonly Release[],
): Promise<void> {
  const folders = ["sources", "lists/partial", "cache/archives/partial"];
  await inside.capture(["mkdir", "-p", "--", ...folders.map((folder) => `${SIMULATION_FOLDER}/${folder}`)]);
  using files = await inside.files();
  for (const release of steps) {
    for (const [index, file] of originals.entries()) {
      const name = `${release.codename}-${index}.${file.path.endsWith(".list") ? "list" : "sources"}`;
      const path = `${SIMULATION_FOLDER}/sources/${name}`;
      await replaceFile(files, path, editAptSources(file.path, file.content, switchSourcesTo(release)), {
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

/** The settings for the archive harm nobody else, so the path needs them if one of its releases does. */
function optionsRelease({ releases: steps, to }: UpgradePath): Release {
  return steps.find(({ archived }) => archived) ?? to;
}

function explainFailure(exitCode: number, lastLines: readonly string[]): SimulationResult {
  const text = lastLines.join("\n");
  const reason = programFailure("asking the mirrors for the new release", exitCode, lastLines).message;
  if (/is not valid yet/.test(text)) {
    return { problem: `the clock of this machine is behind the mirror's: set it right (${reason})` };
  }
  if (/Release file for .* is expired/.test(text)) {
    return { problem: `the mirror is out of date, or the clock of this machine is ahead (${reason})` };
  }
  // A key that is missing or has expired, but nothing that could not be fetched.
  if (
    /NO_PUBKEY|EXPKEYSIG|is not signed|Missing key/.test(text) &&
    !/404|Could not|Unable to connect|Failed to fetch .*(404|Connection)/.test(text)
  ) {
    return { needsNewKeys: true };
  }
  return { problem: reason };
}
