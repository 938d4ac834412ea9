import { isUnavailable } from "../../base/tremplin-error.ts";
import { displayText } from "../guest/lossless-text.ts";
import { findPrimaryUser } from "../guest/primary-user.ts";
import type { ContainerExec } from "./container-exec.ts";
import { joinNames } from "./output-lines.ts";
import { missingFrom, readBrokenPackages, readUnmetDependencies } from "./package-state.ts";
import { namesToResolve, readConnections, readSshPorts, resolvedNames } from "./reachability.ts";
import type { SourceFile } from "./source-files.ts";
import { readBusyUnits, readInitState, readUnits, readUnitsByName, type Unit } from "./systemd-units.ts";

/**
 * What works in a container before an upgrade. The upgrade is proven by the same questions: what worked must work, and
 * what did not work does not count.
 */
export interface Health {
  /** What takes time after a start, in words: "resolving the name deb.debian.org", "ssh on port 22". */
  readonly reachable: ReadonlySet<string>;
  /** What is there at once, in words: "the primary user kim". */
  readonly kept: ReadonlySet<string>;
  /** As systemd says it; empty where it does not run. */
  readonly initState: string;
  /** Units that were being started: one may be stuck for ever. */
  readonly busyUnits: readonly string[];
  /** Units that start at boot and are active. */
  readonly activeUnits: readonly string[];
  readonly failedUnits: readonly string[];
  readonly brokenPackages: ReadonlySet<string>;
  /** The names that its resolver is asked for. */
  readonly names: readonly string[];
}

/** What worked before an upgrade and does not now. */
export interface Loss {
  /** In words; empty if everything works. */
  readonly lost: readonly string[];
  /** Whether it may still come, because something starts or the network takes time. */
  readonly mayStillCome: boolean;
  /** What changed without being a loss, as sentences. */
  readonly notes: readonly string[];
}

/** Asks a container what works in it. */
export async function readHealth(exec: ContainerExec, sources: readonly SourceFile[]): Promise<Health> {
  const names = await namesToResolve(exec, sources);
  const units = await readUnits(exec);
  const inState = (state: string) => units.filter(({ activeState }) => activeState === state);
  return {
    reachable: await readReachable(exec, names),
    kept: await readKept(exec),
    initState: await readInitState(exec),
    busyUnits: await readBusyUnits(exec),
    activeUnits: namesOf(inState("active").filter(({ isEnabled }) => isEnabled)),
    failedUnits: namesOf(inState("failed")),
    brokenPackages: await readBrokenPackages(exec),
    names,
  };
}

/** Asks a container again, and compares. */
export async function compareHealth(exec: ContainerExec, before: Health): Promise<Loss> {
  const names = before.names.filter((name) => before.reachable.has(resolving(name)));
  const unreachable = missingFrom(before.reachable, await readReachable(exec, names));
  const gone = missingFrom(before.kept, await readKept(exec));
  const broken = missingFrom(await readBrokenPackages(exec), before.brokenPackages);
  const units = await compareUnits(exec, before);
  return {
    lost: [
      ...unreachable,
      ...units.lost,
      ...gone,
      ...broken.map((name) => `the package ${name}, which is not fully installed`),
    ],
    mayStillCome: gone.length === 0 && broken.length === 0 && units.mayStillCome,
    notes: units.notes,
  };
}

async function compareUnits(exec: ContainerExec, before: Health): Promise<Loss> {
  const now = await readUnitsByName(exec, before.activeUnits);
  const states = before.activeUnits.map((name) => stateOfUnit(name, now.get(name)));
  const known = new Set([...before.failedUnits, ...before.activeUnits]);
  const failed = namesOf((await readUnits(exec)).filter(({ activeState }) => activeState === "failed"));
  const newlyFailed = failed.filter((name) => !known.has(name));
  return {
    lost: states.flatMap(({ lost }) => lost ?? []),
    mayStillCome: !states.some(({ isFinal }) => isFinal),
    notes: [
      ...states.flatMap(({ note }) => note ?? []),
      ...(newlyFailed.length > 0 ? [`it runs, but some units failed: ${joinNames(newlyFailed)}`] : []),
    ],
  };
}

async function readReachable(exec: ContainerExec, names: readonly string[]): Promise<ReadonlySet<string>> {
  return new Set([
    ...(await resolvedNames(exec, names)).map(resolving),
    ...(await readConnections(exec)),
    ...(await readSshPorts(exec)).map((port) => `ssh on port ${port}`),
  ]);
}

async function readKept(exec: ContainerExec): Promise<ReadonlySet<string>> {
  const unmet = await readUnmetDependencies(exec);
  return new Set([
    ...(await readPrimaryUser(exec)),
    ...(unmet === undefined ? ["the dependencies of all packages"] : []),
  ]);
}

function namesOf(units: readonly Unit[]): string[] {
  return units.map(({ name }) => name);
}

function resolving(name: string): string {
  return `resolving the name ${name}`;
}

/** The primary user with home and shell; nothing if there is none, or if the accounts cannot be read. */
async function readPrimaryUser(exec: ContainerExec): Promise<string[]> {
  using files = await exec.files();
  const unlessLost = (error: unknown) => {
    exec.signal.throwIfAborted();
    if (isUnavailable(error)) throw error;
    return undefined;
  };
  const user = await findPrimaryUser(files).catch(unlessLost);
  if (!user) return [];
  const isThere = async (path: string) => (await files.stat(path).catch(unlessLost)) !== undefined;
  return [
    `the primary user ${displayText(user.name)}`,
    ...((await isThere(user.home)) ? [`the home ${displayText(user.home)}`] : []),
    ...((await isThere(user.shell)) ? [`the login shell ${displayText(user.shell)}`] : []),
  ];
}

interface UnitState {
  readonly lost?: string;
  readonly isFinal?: boolean;
  readonly note?: string;
}

/** What became of a unit that was active. */
function stateOfUnit(name: string, unit: Unit | undefined): UnitState {
  if (!unit) return { lost: `${name}, because systemd does not answer` };
  if (!unit.isThere || !unit.isEnabled)
    return { note: `${name} was active and is no longer part of the system` };
  if (unit.activeState === "active") return {};
  if (unit.activeState === "failed") return { lost: `${name}, which failed`, isFinal: true };
  if (!unit.meetsConditions) return { note: `${name} was active; its conditions do not hold any more` };
  return { lost: `${name}, which is ${unit.activeState}` };
}
