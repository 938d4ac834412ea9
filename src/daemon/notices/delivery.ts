import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { TremplinListener } from "../../contract/tremplin_pb.js";
import { OPERATION_METADATA } from "../../transport/operation-id.ts";
import type { Notice } from "./notice.ts";

/** A host that answers one notice later than this is taken for away. Milliseconds. */
const DEADLINE = 10_000;

/** The host has taken a notice, or refused it: it was understood, and trying again at once would not help. */
export type Acknowledgement =
  | { readonly kind: "taken" }
  | { readonly kind: "refused"; readonly reason: string };

/** What became of one try to deliver: an answer, or nobody answered (`away`), or the host is not ready for it. */
export type Outcome = Acknowledgement | { readonly kind: "away"; readonly reason: string };

/** One try to deliver one notice under an id of its own, of an operation or of none. Never throws. */
export type Deliver = (
  notice: Notice,
  id: string,
  signal: AbortSignal,
  operation?: string,
) => Promise<Outcome>;

const REFUSALS = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.OutOfRange,
  Code.Unimplemented,
]);

/**
 * Delivers to the listener behind a transport. The metadata `tremplin-notice` carries the id, by which a host
 * counts a notice once that had to be sent twice; `tremplin-operation` says what it is about, `tremplin-daemon`
 * who sends.
 */
export function deliverTo(transport: Transport, daemonId: string): Deliver {
  const client = createClient(TremplinListener, transport);
  return async ({ method, message }, id, signal, operation) => {
    const call = client[method] as (input: unknown, options: object) => Promise<unknown>;
    const headers = {
      "tremplin-notice": id,
      "tremplin-daemon": daemonId,
      ...(operation !== undefined && { [OPERATION_METADATA]: operation }),
    };
    try {
      await call(message, { headers, signal, timeoutMs: DEADLINE });
      return { kind: "taken" };
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      // Only what came as a grpc-status is the listener's word. A code may also stand for the HTTP status of a proxy.
      const isRefused = error.isWireError && REFUSALS.has(error.code);
      return { kind: isRefused ? "refused" : "away", reason: error.message };
    }
  };
}
