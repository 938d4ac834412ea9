import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "../../base/processes/run-program.ts";
import { type DebianMirror, releaseSources } from "./debian-mirror.ts";
import type { DebianRelease } from "./debian-releases.ts";
import { type IsolatedOptions, runIsolated } from "./isolated-program.ts";
import { type ImageProgress, MmdebstrapProgress } from "./mmdebstrap-progress.ts";

export interface MmdebstrapOptions extends IsolatedOptions {
  readonly release: DebianRelease;
  /** Where this machine fetches the packages. */
  readonly mirror: DebianMirror;
  /** Where the root file system is built. Packages in its apt cache are not downloaded. */
  readonly tree: string;
  /** A folder for temporary files. */
  readonly work: string;
}

/** Builds the root file system of a release from its packages. Needs root. */
export async function* mmdebstrap(options: MmdebstrapOptions): AsyncGenerator<ImageProgress, void, void> {
  const { release, mirror, tree, work } = options;
  const acquire = join(work, "acquire.conf");
  await writeFile(acquire, await aptAcquireSettings());
  const args = [
    "--verbose",
    "--mode=root",
    "--format=directory",
    "--variant=minbase",
    `--include=${release.packages.join(",")}`,
    `--aptopt=${acquire}`,
    // The tree already has the cached packages of an earlier build, and those of this build are kept for the next.
    "--skip=check/empty,essential/unlink,cleanup/apt/cache",
  ];
  const sources = join(work, "debian.sources");
  await writeFile(sources, releaseSources(release.codename, mirror), { mode: 0o600 });
  args.push(release.codename, tree, sources);
  const progress = new MmdebstrapProgress();
  for await (const line of runIsolated("mmdebstrap", args, options)) {
    const step = progress.read(line);
    if (step) yield step;
  }
}

/**
 * This machine's apt settings for downloads: proxies, timeouts, validity checks. Used for the build only; the container
 * does not get them.
 */
export async function aptAcquireSettings(): Promise<string> {
  const settings = await runProgram("apt-config", ["dump", "--format", '%f "%v";%n', "Acquire"]);
  const wanted =
    /^Acquire::(https?|Retries|Queue-Mode|ForceIPv[46]|Check-(Valid-Until|Date)|M(ax|in)-ValidTime)\b/;
  return settings
    .split("\n")
    .filter((line) => wanted.test(line))
    .map((line) => `${line}\n`)
    .join("");
}
