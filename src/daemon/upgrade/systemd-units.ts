import type { ContainerExec } from "./container-exec.ts";

/** A unit of systemd, as `systemctl show` describes it. */
export interface Unit {
  readonly name: string;
  /** active, activating, failed, inactive ... */
  readonly activeState: string;
  /** Started at boot, and not only for a while because something asked for it. */
  readonly isEnabled: boolean;
  /** Whether systemd still knows it. */
  readonly isThere: boolean;
  /** Whether the conditions in its file held when it was last started. */
  readonly meetsConditions: boolean;
}

const PROPERTIES = [
  ...["Id", "LoadState", "ActiveState", "UnitFileState"],
  ...["ConditionResult", "ConditionTimestampMonotonic"],
];
/** `generated`: made of a script in /etc/init.d, or of a line in /etc/fstab. */
const ENABLED = new Set(["enabled", "enabled-runtime", "generated"]);

/** All units that systemd has loaded; empty where it does not run. */
export async function readUnits(exec: ContainerExec): Promise<Unit[]> {
  return await show(exec, ["*"]);
}

/** Units by the names that are asked for: one may be a second name of another unit by now. */
export async function readUnitsByName(
  exec: ContainerExec,
  names: readonly string[],
): Promise<ReadonlyMap<string, Unit>> {
  if (names.length === 0) return new Map();
  const units = await show(exec, names);
  return new Map(units.map((unit, index) => [names[index] ?? unit.name, unit]));
}

/** running, degraded, starting ...; empty or "offline" where systemd does not run. */
export async function readInitState(exec: ContainerExec): Promise<string> {
  const { stdout } = await exec.capture(["systemctl", "is-system-running"]);
  return stdout.trim();
}

/** The units that are being started or stopped; not those that wait for others. */
export async function readBusyUnits(exec: ContainerExec): Promise<string[]> {
  const { stdout } = await exec.capture(["systemctl", "list-jobs", "--no-legend", "--plain", "--full"]);
  return [...stdout.matchAll(/^ *\d+ +(\S+) +\S+ +running *$/gm)].map((line) => line[1] ?? "");
}

async function show(exec: ContainerExec, names: readonly string[]): Promise<Unit[]> {
  const properties = PROPERTIES.flatMap((name) => ["-p", name]);
  const { exitCode, stdout } = await exec.capture(["systemctl", "show", ...properties, "--", ...names]);
  return exitCode === 0 ? parseUnits(stdout) : [];
}

/** Parses blocks of `Property=value`, separated by blank lines. */
export function parseUnits(text: string): Unit[] {
  return text
    .split(/\n{2,}/)
    .filter((block) => block.trim() !== "")
    .map((block) => {
      const values = new Map(block.split("\n").map((line) => splitAt(line, line.indexOf("="))));
      return {
        name: values.get("Id") ?? "",
        activeState: values.get("ActiveState") ?? "",
        isEnabled: ENABLED.has(values.get("UnitFileState") ?? ""),
        isThere: values.get("LoadState") !== "not-found",
        // The result is also "no" as long as they were never looked at.
        meetsConditions:
          values.get("ConditionResult") !== "no" || values.get("ConditionTimestampMonotonic") === "0",
      };
    })
    .filter(({ name }) => /^[\x21-\x7e]{1,256}$/.test(name));
}

function splitAt(line: string, index: number): [string, string] {
  return [line.slice(0, index), line.slice(index + 1)];
}
