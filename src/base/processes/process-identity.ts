import { bootId, hasEnded, processStat } from "./process-info.ts";

/**
 * Identifies a process for all time. The kernel reuses process ids, so its start time (in the kernel's ticks since the
 * boot) and the id of the boot belong to it.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
  readonly boot: string;
}

/** The process that has this id now; undefined when there is none, or it has ended. */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const startedAt = runningSince(pid);
  return startedAt === undefined ? undefined : { pid, startedAt, boot: bootId() };
}

/** Whether that very process still runs. */
export function isSameProcess({ pid, startedAt, boot }: ProcessIdentity): boolean {
  return runningSince(pid) === startedAt && boot === bootId();
}

/** Whether a process of that id runs. One that has ended does not, even if its parent never reads its exit code. */
export function isRunning(pid: number): boolean {
  return runningSince(pid) !== undefined;
}

function runningSince(pid: number): string | undefined {
  const stat = processStat(pid);
  return stat === undefined || hasEnded(stat) ? undefined : stat.startTime;
}
