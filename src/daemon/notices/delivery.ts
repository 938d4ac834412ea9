import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { TremplinListener } from "../../contract/tremplin_pb.js";
import type { Connection } from "../../transport/client.ts";
import { OPERATION_METADATA } from "../../transport/operation-id.ts";
import type { Notice } from "./notice.ts";

/** A host that has not answered a notice in this time counts as unreachable. */
const DEADLINE_MS = 10_000;

/** The host acknowledged a notice, or rejected it: it understood the notice, and retrying at once would not help. */
export type HostAnswer =
  | { readonly kind: "acknowledged" }
  | { readonly kind: "rejected"; readonly reason: string };

/**
 * The outcome of one try: the host's answer, `unreachable` if it did not answer, or `unclear` if it answered with a code
 * that leaves open whether it refuses this notice for good or is not ready for any.
 */
export type Outcome = HostAnswer | { readonly kind: "unreachable" | "unclear"; readonly reason: string };

/** One try to deliver one notice under an id of its own, of an operation or of none. Never throws. */
export type DeliverNotice = (
  notice: Notice,
  id: string,
  signal: AbortSignal,
  operation?: string,
) => Promise<Outcome>;

const REJECTIONS = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.OutOfRange,
  Code.Unimplemented,
]);
/** With these a listener says nothing about the notice, only that it is not there. */
const ABSENCES = new Set([Code.Unavailable, Code.DeadlineExceeded, Code.Canceled]);

/**
 * Delivers to the listener behind a connection. Call metadata: `tremplin-notice` is the id, by which the host
 * recognises a notice that was sent twice; `tremplin-operation` is the operation; `tremplin-daemon` the sender.
 */
export function deliverTo(connection: Connection, daemonId: string): DeliverNotice {
  const client = createClient(TremplinListener, connection.transport);
  return async ({ method, message }, id, signal, operation) => {
    const call = client[method] as (input: unknown, options: object) => Promise<unknown>;
    const headers = {
      "tremplin-notice": id,
      "tremplin-daemon": daemonId,
      ...(operation !== undefined && { [OPERATION_METADATA]: operation }),
    };
    try {
      await call(message, { headers, signal, timeoutMs: DEADLINE_MS });
      return { kind: "acknowledged" };
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      const reason = connection.whyUnanswered(error)?.reason ?? error.message;
      return { kind: kindOf(error), reason };
    }
  };
}

function kindOf({ isWireError, code }: ConnectError): "rejected" | "unclear" | "unreachable" {
  // Only a grpc-status comes from the listener. Any other code may stand for the HTTP status of a proxy.
  if (!isWireError || ABSENCES.has(code)) return "unreachable";
  return REJECTIONS.has(code) ? "rejected" : "unclear";
}
