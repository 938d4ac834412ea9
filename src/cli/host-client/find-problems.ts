import { plainText } from "../../base/text.ts";
import { errorMessage, TremplinError } from "../../base/tremplin-error.ts";
import { Guest, type Problem } from "../../contract/tremplin/v1/guest_pb.js";
import type { HostApi } from "./host-api.ts";

const CALL_TIMEOUT_MS = 15_000;

/** What on the guest is in the way of its containers; undefined where the guest cannot say. */
export async function findProblems(
  api: HostApi,
  signal: AbortSignal,
): Promise<readonly Problem[] | undefined> {
  try {
    return (await api.call(Guest.method.listProblems, {}, { signal, timeout: CALL_TIMEOUT_MS })).problems;
  } catch (thrown) {
    // Nothing depends on it: an older guest has no such rpc.
    if (signal.aborted) throw new TremplinError("cancelled", errorMessage(thrown), thrown);
    return undefined;
  }
}

/** For a person. */
export function problemText({ problem, advice }: Problem): string {
  return `${plainText(problem)}\n  -> ${plainText(advice)}`;
}
