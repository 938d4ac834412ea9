import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type ErrorCode, TremplinError } from "../../base/tremplin-error.ts";
import { Host } from "../../contract/tremplin/v1/host_pb.js";
import type { Unanswered } from "../../transport/unanswered.ts";
import { plainReason } from "./plain-reason.ts";

const codes: Readonly<Partial<Record<Code, ErrorCode>>> = {
  [Code.InvalidArgument]: "invalid",
  [Code.NotFound]: "not-found",
  [Code.AlreadyExists]: "exists",
  [Code.Aborted]: "busy",
  [Code.Unavailable]: "unavailable",
};

const OTHER_ADDRESS = "set another address with --host or TREMPLIN_HOST";

/** A call to the host that failed. */
interface FailedCall {
  readonly address: string;
  readonly method: DescMethod;
  /** Undefined where the host, or the guest behind it, answered with the error. */
  readonly unanswered: Unanswered | undefined;
}

/** The error of a failed call to the host, as a sentence that a user can act on. */
export function hostError(thrown: unknown, { address, method, unanswered }: FailedCall): TremplinError {
  if (thrown instanceof TremplinError) return thrown;
  if (unanswered) return new TremplinError("unavailable", sentenceOf(unanswered, address), thrown);
  const error = ConnectError.from(thrown);
  if (error.code === Code.Unimplemented && method.parent.typeName === Host.typeName) {
    const reason = `it has no service ${Host.typeName}`;
    return new TremplinError("unavailable", sentenceOf({ kind: "foreign", reason }, address), error);
  }
  if (error.code === Code.Unimplemented) {
    const sentence = "this guest supports only the original contract and cannot do that";
    return new TremplinError("failed", sentence, error);
  }
  if (error.code === Code.DeadlineExceeded) {
    const isOfHost = error.rawMessage.startsWith("cannot reach guest");
    const late = sentenceOf({ kind: "late", reason: "" }, address);
    return new TremplinError("unavailable", isOfHost ? error.rawMessage : late, error);
  }
  return new TremplinError(codes[error.code] ?? "failed", plainReason(error.rawMessage), error);
}

function sentenceOf({ kind, reason }: Unanswered, address: string): string {
  switch (kind) {
    case "absent":
      return reason === "nothing listens there"
        ? `nothing listens at ${address}: start the host with sudo tremplin up (or tremplin machine up, for a machine), or ${OTHER_ADDRESS}`
        : `cannot reach the host at ${address}: ${reason}; start it, or ${OTHER_ADDRESS}`;
    case "forbidden":
      return `no permission to connect to the host at ${address}: run this command with sudo, or join the group that may (tremplin doctor says how)`;
    case "foreign":
      return `what listens at ${address} is no Tremplin host: ${reason}; ${OTHER_ADDRESS}`;
    case "late":
      return `the host at ${address} did not answer in time`;
    case "explained":
      return `cannot reach the host: ${reason}; or ${OTHER_ADDRESS}`;
    case "lost":
      return `lost the connection to the host at ${address}: ${reason}`;
  }
}
