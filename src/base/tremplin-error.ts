import { systemErrorSentence } from "./system-error.ts";

/**
 * What kind of thing went wrong. Callers decide by the code, people read the sentence.
 *
 * - `invalid`: the request itself can never work (a bad name, a path outside the shared folder).
 * - `not-found`: the engine answered 404 for it, and nothing else.
 * - `exists`: something of that name is there already.
 * - `busy`: another operation has it; trying later works.
 * - `cancelled`: somebody asked for it to end.
 * - `timed-out`: it took longer than it may.
 * - `unavailable`: who should answer is not there (yet).
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

/** The one error of the project: a code, a sentence a person can act on, and what caused it. */
export class TremplinError extends Error {
  override readonly name = "TremplinError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, sentence: string, cause?: unknown) {
    super(sentence, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /**
   * Turns anything thrown into the project's error. Total: a TremplinError stays itself, an abort becomes
   * `cancelled` with the reason of the signal, a missing listener becomes `unavailable`, the rest `failed`.
   */
  static from(thrown: unknown): TremplinError {
    if (thrown instanceof TremplinError) return thrown;
    if (!(thrown instanceof Error)) return new TremplinError("failed", String(thrown), thrown);
    if (thrown.name === "SuppressedError") return fromBoth(thrown as SuppressedError);
    if (thrown.name === "AbortError" && thrown.cause instanceof TremplinError) return thrown.cause;
    if (thrown.name === "AbortError") return new TremplinError("cancelled", "it was cancelled", thrown);
    if (thrown.name === "TimeoutError") return new TremplinError("timed-out", "it took too long", thrown);
    const errno = (thrown as NodeJS.ErrnoException).code;
    const code = errno === "ECONNREFUSED" || errno === "ECONNRESET" ? "unavailable" : "failed";
    return new TremplinError(code, systemErrorSentence(thrown) || thrown.name, thrown);
  }
}

/** What failed first is the reason, unless who should answer went away while it was cleaned up. */
function fromBoth({ error, suppressed }: SuppressedError): TremplinError {
  const [later, first] = [TremplinError.from(error), TremplinError.from(suppressed)];
  return later.code === "unavailable" ? later : first;
}

/** The sentence of anything thrown. */
export function errorMessage(thrown: unknown): string {
  return TremplinError.from(thrown).message;
}
