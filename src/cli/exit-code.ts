import type { ErrorCode } from "../base/tremplin-error.ts";

/**
 * The exit codes of the program.
 *
 * | number | meaning |
 * |---|---|
 * | 0 | done, or there was nothing to do |
 * | 1 | failed; the message on standard error says what to do |
 * | 2 | wrong usage; nothing was requested |
 * | 3 | not found |
 * | 4 | the host or the guest cannot be reached |
 * | 5 | busy with another operation; a later attempt can succeed |
 * | 130 | interrupted by Ctrl-C; the message says what continues in the background |
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

/** The exit code of each kind of error. Commands throw `cancelled` only for an interrupt of the user. */
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
