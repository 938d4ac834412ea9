import type { Clock } from "./clock.ts";

/** How often work is repeated after it failed, and when. */
export interface RetryPolicy {
  /** After how many failures another attempt follows. The next failure is final. */
  readonly maxRetries: number;
  /** Milliseconds for which a failure counts. Default: without end. */
  readonly windowMs?: number;
  /** Milliseconds before each further attempt. Default: 0. */
  readonly delayMs?: number;
}

interface RetryOptions {
  readonly clock: Clock;
  /** Whether another attempt can succeed after this error. Default: after any. */
  readonly isRetryable?: (error: unknown) => boolean;
  /** Called before each further attempt, and awaited; what it throws is final. */
  readonly beforeRetry?: (error: unknown) => unknown;
}

/** The result of the first attempt that succeeds. Throws the error of the last attempt that the policy allows. */
export async function withRetries<T>(
  { maxRetries, windowMs = Number.POSITIVE_INFINITY, delayMs = 0 }: RetryPolicy,
  { clock, isRetryable = () => true, beforeRetry }: RetryOptions,
  attempt: () => Promise<T>,
): Promise<T> {
  let failures: number[] = [];
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const now = clock.elapsed();
      failures = [...failures, now].filter((time) => time > now - windowMs);
      if (failures.length > maxRetries || !isRetryable(error)) throw error;
      await beforeRetry?.(error);
      if (delayMs > 0) await clock.sleep(delayMs);
    }
  }
}
