import type { Clock } from "../../base/async/clock.ts";
import type { ContainerExec, ProgramResult } from "./container-exec.ts";
import type { Health } from "./health.ts";

/** How long another program may use apt or dpkg: unattended upgrades take minutes. */
const LOCK_TIMEOUT_MS = 10 * 60_000;
const LOCK_RETRY_MS = 5_000;

/** The sentence about it. */
export const lockWait = `at most ${LOCK_TIMEOUT_MS / 60_000} minutes`;

/** What is needed to run apt and dpkg. */
export interface PackageTools {
  readonly exec: ContainerExec;
  readonly clock: Clock;
  readonly report: { say(sentence: string): Promise<void> };
}

/**
 * The line in which apt or dpkg says that another program holds one of their locks: those of dpkg, of the package
 * lists, of the downloads, of debconf. The same for all versions of apt, of which only some can wait by themselves.
 */
export function lockLine(lines: readonly string[]): string | undefined {
  return lines.find((line) => /Could not get lock|(is|was) locked by another process/.test(line));
}

/** Runs apt or dpkg. While another program holds a lock, it runs again, for at most ten minutes. */
export async function runPackageProgram(
  { exec, clock, report }: PackageTools,
  command: readonly string[],
): Promise<ProgramResult> {
  const end = clock.elapsed() + LOCK_TIMEOUT_MS;
  for (let isFirst = true; ; isFirst = false) {
    const result = await exec.runChange(command);
    const locked = result.exitCode === 0 ? undefined : lockLine(result.lastLines);
    if (locked === undefined || clock.elapsed() > end) return result;
    if (isFirst)
      await report.say(`waiting for another program that uses apt or dpkg, ${lockWait}: ${locked}`);
    await clock.sleep(LOCK_RETRY_MS, exec.signal);
  }
}

/** Whether a program of apt or dpkg failed only on packages that were broken before the upgrade. */
export function failsAsBefore(
  { lastLines }: ProgramResult,
  { brokenPackages }: Pick<Health, "brokenPackages">,
): boolean {
  const start = lastLines.findLastIndex((line) => /^Errors were encountered while processing:/.test(line));
  if (start < 0 || lastLines.some((line) => /^E: (?!Sub-process \S*dpkg )/.test(line))) return false;
  const names = lastLines
    .slice(start + 1)
    .flatMap((line) => /^ (\S+)$/.exec(line)?.[1]?.replace(/:.*/, "") ?? []);
  return names.length > 0 && names.every((name) => brokenPackages.has(name));
}

/** Whether apt's plan was to change no package: it only tried to configure those that are broken. */
export function hasNothingToDo({ lastLines }: ProgramResult): boolean {
  // Apt 2 and before, then apt 3.
  return lastLines.some((line) =>
    /^0 upgraded, 0 newly installed, 0 to remove|^ *Upgrading: 0, Installing: 0, Removing: 0/.test(line),
  );
}
