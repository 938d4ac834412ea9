import { Code, ConnectError } from "@connectrpc/connect";
import { type ErrorCode, TremplinError } from "../../base/tremplin-error.ts";

const codes: Readonly<Partial<Record<Code, ErrorCode>>> = {
  [Code.InvalidArgument]: "invalid",
  [Code.NotFound]: "not-found",
  [Code.AlreadyExists]: "exists",
  [Code.Unavailable]: "unavailable",
  [Code.DeadlineExceeded]: "unavailable",
};

/** The error of a failed call to the host, as a sentence that a user can act on. */
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
      "this guest supports only the original contract and cannot do that",
      error,
    );
  }
  if (error.isWireError) return new TremplinError(codes[error.code] ?? "failed", reason, error);
  if (/\bEACCES\b/.test(reason)) {
    return new TremplinError(
      "unavailable",
      `no permission to connect to the host at ${address}: run this command with sudo`,
      error,
    );
  }
  const sentence = /\b(ENOENT|ECONNREFUSED)\b/.test(reason)
    ? `nothing listens at ${address}: start the host with sudo tremplin up (or tremplin machine up, for a machine), or set another address with --host or TREMPLIN_HOST`
    : `lost the connection to the host at ${address}: ${reason}`;
  return new TremplinError("unavailable", sentence, error);
}
