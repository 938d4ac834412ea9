import type { Clock } from "../../base/async/clock.ts";
import { isUnavailable, TremplinError } from "../../base/tremplin-error.ts";
import { Engine_State, Guest } from "../../contract/tremplin/v1/guest_pb.js";
import type { Progress } from "../progress/progress.ts";
import type { HostApi } from "./host-api.ts";

const POLL_INTERVAL_MS = 10_000;
const STATUS_TIMEOUT_MS = 5_000;

interface Target {
  /** Undefined where the guest does not report ids: then every operation on the container counts. */
  readonly operation: string | undefined;
  /** Empty for an operation on the engine itself. */
  readonly container: string;
}

const LOST = "the guest no longer works on it and did not report an end; tremplin list shows the containers";
const UNREACHABLE =
  "the guest does not answer; if its daemon died, sudo tremplin up starts it (in a machine it restarts by itself)";
const WAITING = "the guest continues once its engine runs; sudo tremplin up starts the engine";

/**
 * Polls the guest's status to distinguish a silent operation from a lost one. Returns when the
 * signal fires, or at once where the guest has no status rpc. Throws when the operation is gone with all its notices, and no
 * event of it has come since. Those of other operations say nothing about it. `ownEvents`: how many it had so far.
 */
export async function watchLiveness(
  api: HostApi,
  target: Target,
  progress: Progress,
  ownEvents: () => number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  let eventsWhenGone: number | undefined;
  for (;;) {
    await clock.sleep(POLL_INTERVAL_MS, signal);
    const state = await poll(api, target, signal);
    if (state === "unsupported") return;
    if (state === "unreachable") progress.stalled(UNREACHABLE);
    if (state === "waiting") progress.stalled(WAITING);
    if (state === "working" || state === "pending") progress.heartbeat();
    const isGone = state === "gone" || state === "pending";
    if (isGone && eventsWhenGone === ownEvents()) throw new TremplinError("failed", LOST);
    if (state === "gone") eventsWhenGone = ownEvents();
    else if (!isGone) eventsWhenGone = undefined;
  }
}

/** `gone`: with all its notices; `pending`: there are notices, of this operation or others, that the host does not have. */
async function poll(
  api: HostApi,
  { operation, container }: Target,
  signal: AbortSignal,
): Promise<"working" | "waiting" | "gone" | "pending" | "unreachable" | "unsupported"> {
  try {
    const status = await api.call(Guest.method.getStatus, {}, { signal, timeout: STATUS_TIMEOUT_MS });
    const found = status.operations.filter(({ id, containerName }) =>
      operation === undefined ? containerName === container : id === operation,
    );
    if (found.length > 0 && found.every(({ waitsForRecovery }) => waitsForRecovery)) return "waiting";
    if (found.length > 0) return "working";
    if (container === "" && status.engine?.state === Engine_State.STARTING) return "working";
    return status.undeliveredNotices > 0 ? "pending" : "gone";
  } catch (thrown) {
    signal.throwIfAborted();
    return isUnavailable(thrown) ? "unreachable" : "unsupported";
  }
}
