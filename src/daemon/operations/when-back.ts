import { backoff } from "../../base/backoff.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { OperationContext } from "./operation.ts";
import type { Tools } from "./tools.ts";

/**
 * Does what must be done whatever happens to the engine: tries again while there is none, until the daemon ends.
 * The work must be safe to repeat, and asks for the engine anew each time.
 */
export async function whenBack<T>(
  { clock, ending }: Tools,
  { log }: OperationContext,
  work: () => Promise<T>,
): Promise<T> {
  for (const wait of backoff(100, 2_000)) {
    try {
      return await work();
    } catch (error) {
      ending.throwIfAborted();
      if (TremplinError.from(error).code !== "unavailable") throw error;
      log.info({ error }, "the engine is away: what it left half done is put right when it is back");
      await clock.sleep(wait, ending);
    }
  }
  throw new Error("unreachable: the waits never end");
}
