import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { TremplinListener } from "../../contract/tremplin_pb.js";
import type { Notice } from "./notice.ts";

/** A host that answers one notice later than this is taken for away. Milliseconds. */
const DEADLINE = 10_000;

/**
 * What became of one try to deliver: `taken` by the host, `refused` for ever (it was understood, and trying
 * again would not help), or `away` (nobody answered, or the host is not ready for it: try again).
 */
export type Outcome =
  | { readonly kind: "taken" }
  | { readonly kind: "refused" | "away"; readonly reason: string };

/** One try to deliver one notice under an id of its own. Never throws. */
export type Deliver = (notice: Notice, id: string, signal: AbortSignal) => Promise<Outcome>;

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
 * counts a notice once that had to be sent twice; `tremplin-daemon` says who sends.
 */
export function deliverTo(transport: Transport, daemonId: string): Deliver {
  const client = createClient(TremplinListener, transport);
  return async ({ method, message }, id, signal) => {
    const call = client[method] as (input: unknown, options: object) => Promise<unknown>;
    const headers = { "tremplin-notice": id, "tremplin-daemon": daemonId };
    try {
      await call(message, { headers, signal, timeoutMs: DEADLINE });
      return { kind: "taken" };
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      return { kind: REFUSALS.has(error.code) ? "refused" : "away", reason: error.message };
    }
  };
}
