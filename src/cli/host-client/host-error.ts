import { Code, ConnectError } from "@connectrpc/connect";
import { type ErrorCode, TremplinError } from "../../base/tremplin-error.ts";

const codes: Readonly<Partial<Record<Code, ErrorCode>>> = {
  [Code.InvalidArgument]: "invalid",
  [Code.NotFound]: "not-found",
  [Code.AlreadyExists]: "exists",
  [Code.Unavailable]: "unavailable",
  [Code.DeadlineExceeded]: "unavailable",
};

/** What went wrong in a call of the host, as a sentence a person can act on. */
export function hostError(thrown: unknown, address: string): TremplinError {
  if (thrown instanceof TremplinError) return thrown;
  const error = ConnectError.from(thrown);
  const reason = error.rawMessage;
  if (error.code === Code.DeadlineExceeded) {
    return new TremplinError("unavailable", `the host at ${address} did not answer in time`, error);
  }
  if (error.code === Code.Unimplemented) {
    return new TremplinError(
      "failed",
      "this guest speaks the original contract only and cannot do that",
      error,
    );
  }
  if (error.isWireError) return new TremplinError(codes[error.code] ?? "failed", reason, error);
  if (/\bEACCES\b/.test(reason)) {
    return new TremplinError(
      "unavailable",
      `not allowed to reach the host at ${address}: run this with sudo`,
      error,
    );
  }
  const sentence = /\b(ENOENT|ECONNREFUSED)\b/.test(reason)
    ? `nothing listens at ${address}: sudo tremplin up (or tremplin machine up, for a machine) starts the host there, --host or TREMPLIN_HOST names another place`
    : `lost the host at ${address}: ${reason}`;
  return new TremplinError("unavailable", sentence, error);
}
