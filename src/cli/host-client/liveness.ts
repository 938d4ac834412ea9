import type { Clock } from "../../base/async/clock.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import { Engine_State, Guest } from "../../contract/tremplin/v1/guest_pb.js";
import type { Progress } from "../progress/progress.ts";
import type { HostApi } from "./host-api.ts";

/** How often the guest is asked. Milliseconds. */
const INTERVAL = 10_000;
const PATIENCE = 5_000;

/** The work that is asked for. */
interface Meant {
  /** Undefined where the guest does not say it: then all work on the container counts. */
  readonly operation: string | undefined;
  /** Empty for work on the engine itself. */
  readonly container: string;
}

/**
 * Asks the guest again and again whether it still does some work, so that
 * silence is told apart from a stand-still. Ends with the signal, or at once where the guest cannot say;
 * throws when the work is gone and no notice of its end is under way.
 */
export async function watchLiveness(
  api: HostApi,
  meant: Meant,
  progress: Progress,
  newest: () => bigint,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  let goneSince: bigint | undefined;
  for (;;) {
    await clock.sleep(INTERVAL, signal);
    const heard = await ask(api, meant, signal);
    if (heard === "cannot say") return;
    if (heard === "away")
      progress.doubt(
        "the guest does not answer; if its daemon died, sudo tremplin up starts it (a machine's starts by itself)",
      );
    if (heard === "waiting")
      progress.doubt("the guest will go on with it once its engine runs; sudo tremplin up launches that");
    if (heard === "working") progress.alive();
    if (heard !== "gone") goneSince = undefined;
    else if (goneSince === newest()) throw new TremplinError("failed", GONE);
    else goneSince = newest();
  }
}

const GONE = "the guest no longer works on it and never said how it ended; tremplin list shows what is there";

async function ask(
  api: HostApi,
  { operation, container }: Meant,
  signal: AbortSignal,
): Promise<"working" | "waiting" | "gone" | "away" | "cannot say"> {
  try {
    const status = await api.call(Guest.method.getStatus, {}, { signal, timeout: PATIENCE });
    const found = status.operations.filter(({ id, containerName }) =>
      operation === undefined ? containerName === container : id === operation,
    );
    if (found.length > 0 && found.every(({ waitsForRecovery }) => waitsForRecovery)) return "waiting";
    const working =
      found.length > 0 ||
      (container === "" && status.engine?.state === Engine_State.STARTING) ||
      status.undeliveredNotices > 0;
    return working ? "working" : "gone";
  } catch (thrown) {
    signal.throwIfAborted();
    return TremplinError.from(thrown).code === "unavailable" ? "away" : "cannot say";
  }
}
