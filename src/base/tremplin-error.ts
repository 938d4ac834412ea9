import { isKnownSystemError, systemErrorSentence } from "./system-error.ts";

/**
 * The kinds of failure. Code decides by the code, people read the message.
 *
 * - `invalid`: the request can never succeed (a bad name, a path outside the shared folder).
 * - `not-found`: the engine answered 404 for it, and nothing else.
 * - `exists`: the name is already taken.
 * - `busy`: another operation holds it; a later attempt can succeed.
 * - `cancelled`: it was asked to end.
 * - `timed-out`: it took longer than its limit.
 * - `unavailable`: the other side cannot be reached, perhaps only now.
 * - `conflict`: it changed between reading and writing (the engine's 412).
 * - `failed`: anything else.
 */
export type ErrorCode =
  | "invalid"
  | "not-found"
  | "exists"
  | "busy"
  | "cancelled"
  | "timed-out"
  | "unavailable"
  | "conflict"
  | "failed";

/** The project's only error class: a code, a sentence that a person can act on, and the cause. */
export class TremplinError extends Error {
  override readonly name = "TremplinError";
  readonly code: ErrorCode;
  /** The operation that failed, by which logs can be searched. */
  declare operation?: string;

  constructor(code: ErrorCode, sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /** Anything thrown, as the failure of an operation; undefined: of none that is known. */
  static ofOperation(operation: string | undefined, thrown: unknown): TremplinError {
    const error = TremplinError.from(thrown);
    if (operation !== undefined) error.operation ??= operation;
    return error;
  }

  /**
   * Converts anything thrown. A TremplinError stays itself, an abort becomes `cancelled` with the reason of the
   * signal, a refused connection becomes `unavailable`, everything else `failed`. Errors that only a mistake in this
   * program raises say so.
   */
  static from(thrown: unknown): TremplinError {
    if (thrown instanceof TremplinError) return thrown;
    if (!(thrown instanceof Error)) return new TremplinError("failed", String(thrown), thrown);
    if (thrown.name === "SuppressedError") return fromBoth(thrown as SuppressedError);
    if (thrown.name === "AbortError" && thrown.cause instanceof TremplinError) return thrown.cause;
    if (thrown.name === "AbortError") return new TremplinError("cancelled", "it was cancelled", thrown);
    if (thrown.name === "TimeoutError") return new TremplinError("timed-out", "it took too long", thrown);
    if (isFault(thrown)) return faultError(thrown);
    const errno = (thrown as NodeJS.ErrnoException).code;
    const code = errno === "ECONNREFUSED" || errno === "ECONNRESET" ? "unavailable" : "failed";
    return new TremplinError(code, systemErrorSentence(thrown) || thrown.name, thrown);
  }
}

/** Whether only a mistake in this program can have caused an error. */
function isFault(error: Error): boolean {
  const isKind = [TypeError, ReferenceError, RangeError, SyntaxError].some((kind) => error instanceof kind);
  return (isKind || /^\$?ZodError$/.test(error.name)) && !isKnownSystemError(error);
}

function faultError(thrown: Error): TremplinError {
  const what = `${thrown.name}: ${thrown.message.split("\n", 1)[0]}`;
  return new TremplinError(
    "failed",
    `this is a mistake in tremplin itself, please report it (${what})`,
    thrown,
  );
}

/** The first failure is the reason, unless the other side became unreachable during clean-up. */
function fromBoth({ error, suppressed }: SuppressedError): TremplinError {
  const [later, first] = [TremplinError.from(error), TremplinError.from(suppressed)];
  return later.code === "unavailable" ? later : first;
}

/** The message of anything thrown, for people. */
export function errorMessage(thrown: unknown): string {
  return TremplinError.from(thrown).message;
}

/** Whether an engine or a peer could not be reached: the same work can succeed once it is back. */
export function isUnavailable(thrown: unknown): boolean {
  return TremplinError.from(thrown).code === "unavailable";
}
