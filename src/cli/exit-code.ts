import type { ErrorCode } from "../base/tremplin-error.ts";

/**
 * What the number tells with which the program ends.
 *
 * | number | meaning |
 * |---|---|
 * | 0 | done, or it was so already |
 * | 1 | failed; the sentence on standard error says what to do |
 * | 2 | wrong usage: nothing was asked of anyone |
 * | 3 | what was named is not there |
 * | 4 | the host or the guest cannot be reached |
 * | 5 | busy: another operation has it; trying later works |
 * | 130 | interrupted by Ctrl-C; the sentence says what goes on in the background |
 */
export const exitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  unreachable: 4,
  busy: 5,
  interrupted: 130,
} as const;

/** The number for each kind of error. `cancelled` is said only where the person at the keyboard did it. */
export const exitCodeOf: Readonly<Record<ErrorCode, number>> = {
  invalid: exitCode.usage,
  "not-found": exitCode.notFound,
  exists: exitCode.failed,
  busy: exitCode.busy,
  cancelled: exitCode.interrupted,
  "timed-out": exitCode.failed,
  unavailable: exitCode.unreachable,
  conflict: exitCode.failed,
  failed: exitCode.failed,
};
