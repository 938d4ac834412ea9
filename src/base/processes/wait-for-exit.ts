import type { Clock } from "../async/clock.ts";
import { pollUntil } from "../async/poll-until.ts";
import { isSameProcess, type ProcessIdentity, processIdentity } from "./process-identity.ts";

const POLL_INTERVAL_MS = 50;
const STOP_TIMEOUT_MS = 5_000;

export interface WaitForExitOptions {
  readonly clock: Clock;
  /** Default: without limit. */
  readonly timeoutMs?: number;
  /** Ends the wait; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** Waits until all of the processes have ended. False when one is still there after the timeout. */
export async function waitForExit(pids: readonly number[], options: WaitForExitOptions): Promise<boolean> {
  return await waitForEnd(identitiesOf(pids), options);
}

/** Sends a signal to a process, unless that has already ended. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Ends processes by SIGTERM, and after 5 s by SIGKILL. False when one is still there 5 s after that. */
export async function stopProcesses(pids: readonly number[], clock: Clock): Promise<boolean> {
  const processes = identitiesOf(pids);
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const each of processes.filter(isSameProcess)) sendSignal(each.pid, signal);
    if (await waitForEnd(processes, { clock, timeoutMs: STOP_TIMEOUT_MS })) return true;
  }
  return false;
}

function identitiesOf(pids: readonly number[]): ProcessIdentity[] {
  return pids.map(processIdentity).filter((each) => each !== undefined);
}

async function waitForEnd(
  processes: readonly ProcessIdentity[],
  { clock, timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitForExitOptions,
): Promise<boolean> {
  const options = { clock, timeoutMs, intervalMs: POLL_INTERVAL_MS, ...(signal && { signal }) };
  return await pollUntil(() => !processes.some(isSameProcess), options);
}
