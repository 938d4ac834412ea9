import { editAptSources } from "../guest/apt-sources.ts";
import { replaceFile } from "../guest/container-files.ts";
import { decodeLatin1, encodeLatin1 } from "../guest/lossless-text.ts";
import { aptGetSimulation, aptGetTrial } from "./apt.ts";
import { type ContainerExec, type ProgramResult, programFailure } from "./container-exec.ts";
import { joinNames } from "./output-lines.ts";
import { readBrokenPackages, readUnmetDependencies } from "./package-state.ts";
import { type Release, releaseName, type UpgradePath } from "./releases.ts";
import { removeSimulation, SIMULATION_FOLDER } from "./simulation-folder.ts";
import { type AptEstimate, parseEstimate } from "./size.ts";
import type { SourceFile } from "./source-files.ts";
import type { SourcePlan } from "./source-plan.ts";

/** Where apt sources name the keys of Debian. */
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const NEW_KEYS = `${SIMULATION_FOLDER}/keys`;

/** Fetches the package with the newest keys, unpacks it, and puts its keys beside those that the container trusts. */
const UNPACK_KEYS = `folder=$1
shift
cd "$folder" && "$@" && dpkg-deb --extract *.deb tree || exit
mkdir trusted
for keys in /etc/apt/trusted.gpg.d/* tree/etc/apt/trusted.gpg.d/* tree/usr/share/keyrings/debian-archive-keyring.gpg; do
  [ ! -f "$keys" ] || cp -L "$keys" trusted/
done`;

const root = { uid: 0, gid: 0 };

export interface SimulationResult {
  /** Why the upgrade would fail, as sentences; empty if apt can do it. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  /** Undefined if apt cannot plan the upgrade before the installed packages are repaired. */
  readonly estimate?: AptEstimate;
}

/** The apt of a simulation: lists, caches and sources of its own. */
class Simulation {
  readonly exec: ContainerExec;
  readonly #originals: readonly SourceFile[];
  readonly #plan: SourcePlan;
  /** The folders whose sources are written, with the keys that count now. */
  readonly #written = new Set<string>();
  #hasNewKeys = false;

  constructor(exec: ContainerExec, originals: readonly SourceFile[], plan: SourcePlan) {
    this.exec = exec;
    this.#originals = originals;
    this.#plan = plan;
  }

  get path(): UpgradePath {
    return this.#plan.path;
  }

  async prepare(): Promise<void> {
    const made = `making ${SIMULATION_FOLDER} in the container`;
    // Not -p: what another program has put there is not used. Apt's own user must be able to enter it.
    await this.exec.runOrThrow(made, ["mkdir", "-m", "755", "--", SIMULATION_FOLDER]);
    // A source may have a password.
    await this.exec.runOrThrow(made, ["mkdir", "-m", "700", "--", `${SIMULATION_FOLDER}/sources`]);
    const folders = ["lists/partial", "cache/archives/partial", "keys"];
    const paths = folders.map((folder) => `${SIMULATION_FOLDER}/${folder}`);
    await this.exec.runOrThrow(made, ["mkdir", "-p", "--", ...paths]);
  }

  /** Fetches the package lists of these releases. */
  async update(releases: readonly Release[]): Promise<ProgramResult> {
    const command = await this.#command(releases, aptGetSimulation, "update");
    const { exitCode, lastLines } = await this.exec.run(command);
    const isBroken = exitCode !== 0 || lastLines.some((line) => /^(E:|W: Failed to fetch)/.test(line));
    return { exitCode: isBroken ? exitCode || 100 : 0, lastLines };
  }

  /** Lets later updates use the newest keys of the release that runs. Returns why they cannot. */
  async fetchNewKeys(): Promise<string | undefined> {
    const { from } = this.path;
    const download = await this.#command([from], aptGetSimulation, "download", from.keyring);
    const { exitCode, lastLines } = await this.exec.run([
      "sh",
      "-c",
      UNPACK_KEYS,
      "sh",
      NEW_KEYS,
      ...download,
    ]);
    if (exitCode !== 0) return programFailure(`fetching ${from.keyring}`, exitCode, lastLines).message;
    this.#hasNewKeys = true;
    this.#written.clear();
    return undefined;
  }

  /** Apt's steps of the upgrade to the last of these releases. */
  async plan(releases: readonly Release[]) {
    return await this.exec.capture(await this.#command(releases, aptGetTrial, "dist-upgrade"));
  }

  /** Apt's summary of it: what is removed, and what it costs. */
  async summary(releases: readonly Release[]): Promise<string> {
    const command = await this.#command(releases, aptGetSimulation, "dist-upgrade");
    return (await this.exec.capture(command)).stdout;
  }

  async #command(
    releases: readonly Release[],
    apt: (release: Release, ...args: readonly string[]) => readonly string[],
    ...args: readonly string[]
  ): Promise<readonly string[]> {
    const folder = `${SIMULATION_FOLDER}/sources/${releases.map(({ codename }) => codename).join("-")}`;
    if (!this.#written.has(folder)) await this.#writeSources(folder, releases);
    this.#written.add(folder);
    const settings = [
      "Dir::Etc::SourceList=/dev/null",
      `Dir::Etc::SourceParts=${folder}`,
      `Dir::State::Lists=${SIMULATION_FOLDER}/lists`,
      `Dir::Cache=${SIMULATION_FOLDER}/cache`,
      // The lists of other releases stay.
      "APT::Get::List-Cleanup=false",
      ...(this.#hasNewKeys ? [`Dir::Etc::TrustedParts=${NEW_KEYS}/trusted`, "APT::Sandbox::User=root"] : []),
    ];
    return apt(optionsRelease(this.path), ...settings.flatMap((setting) => ["-o", setting]), ...args);
  }

  async #writeSources(folder: string, releases: readonly Release[]): Promise<void> {
    await this.exec.capture(["mkdir", "-p", "--", folder]);
    using files = await this.exec.files();
    for (const release of releases) {
      for (const [index, { path, content }] of this.#originals.entries()) {
        const name = `${release.codename}-${index}.${path.endsWith(".list") ? "list" : "sources"}`;
        const edited = editAptSources(path, content, this.#plan.switchTo(release));
        await replaceFile(files, `${folder}/${name}`, this.#withNewKeys(edited), { ...root, mode: 0o644 });
      }
    }
  }

  #withNewKeys(content: Uint8Array): Uint8Array {
    if (!this.#hasNewKeys) return content;
    return encodeLatin1(decodeLatin1(content).replaceAll(KEYRING, `${NEW_KEYS}/tree${KEYRING}`));
  }
}

/**
 * Does what the upgrade will do, as far as that changes nothing: fetches the package lists of all releases of a path and
 * lets apt plan the upgrade to the next one. Uses lists and caches of its own, which it removes at the end; apt's real
 * ones do not change.
 */
export async function simulateUpgrade(
  exec: ContainerExec,
  originals: readonly SourceFile[],
  plan: SourcePlan,
): Promise<SimulationResult> {
  await removeSimulation(exec.engine, exec.container);
  try {
    const simulation = new Simulation(exec, originals, plan);
    await simulation.prepare();
    const fetched = await fetchLists(simulation);
    if (fetched.problems.length > 0) return fetched;
    const planned = await planUpgrade(simulation);
    return { ...planned, notes: [...fetched.notes, ...planned.notes] };
  } finally {
    await removeSimulation(exec.engine, exec.container);
  }
}

/** With the keys that the container has, or else with those that the release that runs has for it by now. */
async function fetchLists(simulation: Simulation): Promise<SimulationResult> {
  const { from, releases } = simulation.path;
  const current = await simulation.update([from]);
  if (current.exitCode !== 0) return { problems: [explainFailure(current)], notes: [] };
  const all = await simulation.update(releases);
  if (all.exitCode === 0) return { problems: [], notes: [] };
  if (!lacksKeys(all)) return { problems: [explainFailure(all)], notes: [] };
  const failure = await simulation.fetchNewKeys();
  const next = failure === undefined ? await simulation.update(releases.slice(0, 1)) : all;
  if (next.exitCode !== 0) {
    const why = failure ?? `${from.keyring} of ${releaseName(from)} does not have them either`;
    return { problems: [`${explainFailure(next)}; ${why}`], notes: [] };
  }
  const rest = releases.length > 1 ? await simulation.update(releases) : next;
  if (rest.exitCode !== 0 && !lacksKeys(rest)) return { problems: [explainFailure(rest)], notes: [] };
  return {
    problems: [],
    notes: ["the container does not have the keys of the new release yet; they are renewed first"],
  };
}

async function planUpgrade(simulation: Simulation): Promise<SimulationResult> {
  const { releases, to } = simulation.path;
  const next = releases.slice(0, 1);
  const plan = await simulation.plan(next);
  if (plan.exitCode !== 0) return await explainPlan(simulation.exec, plan);
  const problems = next.flatMap((release) => checkPlan(plan.stdout, release));
  if (problems.length === 0 && releases.length > 1) {
    const whole = await simulation.plan(releases);
    if (whole.exitCode === 0) problems.push(...checkPlan(whole.stdout, to));
  }
  const summary = await simulation.summary(next);
  const whole = releases.length > 1 ? await simulation.summary(releases) : summary;
  const estimate = parseEstimate(whole) ?? parseEstimate(summary);
  const removed = parseRemoved(summary);
  const notes = removed.length > 0 ? [`apt will remove ${joinNames(removed, 30)}`] : [];
  return { problems, notes, ...(estimate && { estimate }) };
}

/** The package that makes a release must come: a pin, a conflict or a wrong mirror may keep that of the old one. */
function checkPlan(plan: string, release: Release): string[] {
  const version = plannedVersion(plan, "base-files");
  if (version !== undefined && Number.parseInt(version, 10) === Number(release.versionId)) return [];
  const what =
    version === undefined ? "keep base-files as it is" : `install version ${version} of base-files`;
  return [
    `apt would ${what}, so this would not become ${releaseName(release)}: a pin in /etc/apt/preferences or /etc/apt/preferences.d, or a package that conflicts, keeps another release, or the mirror does not have it`,
  ];
}

/** The version of a package in apt's steps: `Inst NAME [OLD] (NEW ORIGIN [ARCHITECTURE])`. Undefined if it stays. */
export function plannedVersion(plan: string, name: string): string | undefined {
  for (const line of plan.split("\n")) {
    const [, found, version] = /^Inst (\S+) (?:\[[^\]]*\] )?\(([0-9A-Za-z.+~:-]{1,100})/.exec(line) ?? [];
    if (found === name) return version;
  }
  return undefined;
}

/** A plan that fails is a problem, unless the installed packages are broken already: these are repaired first. */
async function explainPlan(
  exec: ContainerExec,
  plan: { exitCode: number; stdout: string; stderr: string },
): Promise<SimulationResult> {
  const isBroken =
    (await readBrokenPackages(exec)).size > 0 || (await readUnmetDependencies(exec)) !== undefined;
  if (isBroken) {
    const note =
      "apt cannot plan the upgrade or estimate its cost before the installed packages are repaired";
    return { problems: [], notes: [note] };
  }
  const lines = `${plan.stdout}\n${plan.stderr}`.split("\n").filter((line) => line.trim() !== "");
  return { problems: [programFailure("planning the upgrade", plan.exitCode, lines).message], notes: [] };
}

/** The packages that apt would remove, from the plan that it prints. */
export function parseRemoved(plan: string): string[] {
  // Apt 2 and before, then apt 3.
  const block =
    /^(?:The following packages will be REMOVED:|REMOVING:)\n((?: +.*\n)+)/m.exec(plan)?.[1] ?? "";
  return block.split(/\s+/).flatMap((name) => (name === "" ? [] : [name.replace(/\*$/, "")]));
}

/** The release whose options are used for all: an archived one if the path has any, because they suit the others too. */
function optionsRelease({ from, releases, to }: UpgradePath): Release {
  return [from, ...releases].find(({ archived }) => archived) ?? to;
}

/** A missing or expired key, and no failed download. */
function lacksKeys({ lastLines }: ProgramResult): boolean {
  const text = lastLines.join("\n");
  return (
    /NO_PUBKEY|EXPKEYSIG|is not signed|Missing key/.test(text) &&
    !/404|Could not|Unable to connect|Failed to fetch .*(404|Connection)/.test(text)
  );
}

function explainFailure({ exitCode, lastLines }: ProgramResult): string {
  const text = lastLines.join("\n");
  const reason = programFailure("fetching the package lists of the releases", exitCode, lastLines).message;
  if (/is not valid yet/.test(text)) {
    return `the clock of this machine is behind the mirror's: correct it (${reason})`;
  }
  if (/Release file for .* is expired/.test(text)) {
    return `the mirror is out of date, or the clock of this machine is ahead (${reason})`;
  }
  if (/failure resolving|Could not resolve/i.test(text)) {
    return `it cannot resolve the names of its mirrors: check /etc/resolv.conf in it, and whether systemd-resolved runs if that leads to it (${reason})`;
  }
  return reason;
}
