import { systemErrorText } from "../../base/system-error.ts";
import { type ErrorCode, TremplinError } from "../../base/tremplin-error.ts";
import { flavors } from "../flavors/flavors.ts";
import { type EngineAddress, formatEngineAddress } from "./engine-address.ts";

const absent = new Set([
  "ECONNREFUSED",
  "ENOENT",
  "ECONNRESET",
  "EPIPE",
  "EHOSTUNREACH",
  "ETIMEDOUT",
  "ENOTFOUND",
]);

/** The error of an answer of the engine: `code` is its error_code (an HTTP status), `words` its own sentence. */
export function engineError(code: number, words: string, doing: string, refusal: unknown): TremplinError {
  return new TremplinError(errorCode(code, words), `the engine refused ${doing}: ${words}`, refusal);
}

/** The error of an operation that ended in failure. Its cause is the operation, for what its metadata tells. */
export function operationError(doing: string, words: string, operation: unknown): TremplinError {
  const code = isTaken(words) ? "exists" : isBusy(words) ? "busy" : "failed";
  return new TremplinError(code, `the engine failed at ${doing}: ${words}`, operation);
}

/** The error of a request that no engine answered. */
export function connectionError(thrown: unknown, address: EngineAddress, doing: string): TremplinError {
  if (thrown instanceof TremplinError) return thrown;
  const { code, message } = thrown as NodeJS.ErrnoException;
  const where = formatEngineAddress(address);
  if (code !== undefined && absent.has(code)) {
    return new TremplinError(
      "unavailable",
      `no engine answers at ${where} (${doing}: ${systemErrorText(thrown)})`,
      thrown,
    );
  }
  return new TremplinError("failed", `${doing} at ${where} broke: ${message}`, thrown);
}

function errorCode(code: number, words: string): ErrorCode {
  if (code === 404) return "not-found";
  if (code === 412) return "conflict";
  if (code === 503) return "unavailable";
  if (code === 409 || isTaken(words)) return "exists";
  return isBusy(words) ? "busy" : "failed";
}

function isBusy(words: string): boolean {
  return flavors.some(({ texts }) => texts.busy.some((pattern) => pattern.test(words)));
}

function isTaken(words: string): boolean {
  return flavors.some(({ texts }) => texts.nameTaken.some((pattern) => pattern.test(words)));
}

/** Whether an operation's error means that it was cancelled. */
export function isCancelled(words: string): boolean {
  return flavors.some(({ texts }) => texts.cancelled.test(words));
}
