import { systemErrorText } from "../../base/system-error.ts";
import { type ErrorCode, TremplinError } from "../../base/tremplin-error.ts";
import { flavors } from "../flavors/flavors.ts";
import { type EngineAddress, formatEngineAddress } from "./engine-address.ts";

const UNREACHABLE_CODES = new Set([
  "ECONNREFUSED",
  "ENOENT",
  "ECONNRESET",
  "EPIPE",
  "EHOSTUNREACH",
  "ETIMEDOUT",
  "ENOTFOUND",
]);

/** The error of a refused request: `code` is the engine's error_code (an HTTP status), `message` its sentence. */
export function engineError(code: number, message: string, action: string, refusal: unknown): TremplinError {
  return new TremplinError(errorCode(code, message), `the engine refused ${action}: ${message}`, refusal);
}

/** The error of a failed operation. Its cause is the operation, for the details in its metadata. */
export function operationError(action: string, message: string, operation: unknown): TremplinError {
  const code = isTaken(message) ? "exists" : isBusy(message) ? "busy" : "failed";
  return new TremplinError(code, `the engine failed at ${action}: ${message}`, operation);
}

/** The error of a request that no engine answered. */
export function connectionError(thrown: unknown, address: EngineAddress, action: string): TremplinError {
  if (thrown instanceof TremplinError) return thrown;
  const { code, message } = thrown as NodeJS.ErrnoException;
  const where = formatEngineAddress(address);
  if (code !== undefined && UNREACHABLE_CODES.has(code)) {
    return new TremplinError(
      "unavailable",
      `no engine answers at ${where} (${action}: ${systemErrorText(thrown)})`,
      thrown,
    );
  }
  return new TremplinError("failed", `${action} at ${where} failed: ${message}`, thrown);
}

function errorCode(code: number, message: string): ErrorCode {
  if (code === 404) return "not-found";
  if (code === 412) return "conflict";
  if (code === 503) return "unavailable";
  if (code === 409 || isTaken(message)) return "exists";
  return isBusy(message) ? "busy" : "failed";
}

function isBusy(message: string): boolean {
  return flavors.some(({ texts }) => texts.busy.some((pattern) => pattern.test(message)));
}

function isTaken(message: string): boolean {
  return flavors.some(({ texts }) => texts.nameTaken.some((pattern) => pattern.test(message)));
}

/** Whether an operation's error means that it was cancelled. */
export function isCancelled(message: string): boolean {
  return flavors.some(({ texts }) => texts.cancelled.test(message));
}
