import type { Clock } from "./clock.ts";

export interface PollOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  /** Aborts a wait between two looks; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** Looks until the condition holds. False when it does not within the timeout. */
export async function pollUntil(
  condition: () => boolean | Promise<boolean>,
  { clock, timeoutMs, intervalMs, signal }: PollOptions,
): Promise<boolean> {
  const end = clock.elapsed() + timeoutMs;
  for (; clock.elapsed() < end; await clock.sleep(intervalMs, signal)) {
    if (await condition()) return true;
  }
  return false;
}
