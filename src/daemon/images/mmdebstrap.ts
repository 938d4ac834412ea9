import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "../../base/processes/run-program.ts";
import { type DebianMirror, debianKeyring, releaseSources } from "./debian-mirror.ts";
import type { DebianRelease } from "./debian-releases.ts";
import { type ImageProgress, MmdebstrapProgress } from "./mmdebstrap-progress.ts";
import { type SandboxedOptions, sandboxed } from "./sandboxed.ts";

export interface MmdebstrapOptions extends SandboxedOptions {
  readonly release: DebianRelease;
  /** Undefined: the tool's own default. */
  readonly mirror: DebianMirror | undefined;
  /** Where the root filesystem is built; packages that apt finds in its cache there are not downloaded. */
  readonly tree: string;
  /** A folder for the tool's own files. */
  readonly work: string;
}

/** Builds the root filesystem of a release from its packages. Needs root. */
export async function* mmdebstrap(options: MmdebstrapOptions): AsyncGenerator<ImageProgress, void, void> {
  const { release, mirror, tree, work } = options;
  const acquire = join(work, "acquire.conf");
  await writeFile(acquire, await acquireSettings());
  const args = [
    "--verbose",
    "--mode=root",
    "--format=directory",
    "--variant=minbase",
    `--include=${release.packages.join(",")}`,
    `--aptopt=${acquire}`,
    // What lies in the tree before are the packages of an earlier build; this build's are kept for the next.
    "--skip=check/empty,essential/unlink,cleanup/apt/cache",
  ];
  if (mirror) {
    const sources = join(work, "debian.sources");
    await writeFile(sources, releaseSources(release.codename, mirror));
    args.push(release.codename, tree, sources);
  } else {
    args.push(`--keyring=${debianKeyring}`, release.codename, tree);
  }
  const progress = new MmdebstrapProgress();
  for await (const line of sandboxed("mmdebstrap", args, options)) {
    const step = progress.read(line);
    if (step) yield step;
  }
}

/**
 * How this machine's apt is told to fetch: proxies, time limits, clocks that cannot be trusted. A build fetches
 * in the same way; the container does not keep it.
 */
export async function acquireSettings(): Promise<string> {
  const settings = await runProgram("apt-config", ["dump", "--format", '%f "%v";%n', "Acquire"]);
  const wanted =
    /^Acquire::(https?|Retries|Queue-Mode|ForceIPv[46]|Check-(Valid-Until|Date)|M(ax|in)-ValidTime)\b/;
  return settings
    .split("\n")
    .filter((line) => wanted.test(line))
    .map((line) => `${line}\n`)
    .join("");
}
