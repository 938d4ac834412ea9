import type { Clock } from "../async/clock.ts";
import { pollUntil } from "../async/poll-until.ts";
import { isAlive } from "./process-info.ts";

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
export async function waitForExit(
  pids: readonly number[],
  { clock, timeoutMs = Number.POSITIVE_INFINITY, signal }: WaitForExitOptions,
): Promise<boolean> {
  const options = { clock, timeoutMs, intervalMs: POLL_INTERVAL_MS, ...(signal && { signal }) };
  return await pollUntil(() => !pids.some(isAlive), options);
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
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const pid of pids) sendSignal(pid, signal);
    if (await waitForExit(pids, { clock, timeoutMs: STOP_TIMEOUT_MS })) return true;
  }
  return false;
}
