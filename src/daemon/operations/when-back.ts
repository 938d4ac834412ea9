import { backoff } from "../../base/backoff.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { OperationContext } from "./operation.ts";
import type { Tools } from "./tools.ts";

/** Anything but a missing engine is tried so often. */
const TRIES = 5;

/**
 * Does what must be done whatever happens to the engine: tries again while there is none, until the daemon ends,
 * and a few times after any other failure. The work must be safe to repeat, and asks for the engine anew each time.
 */
export async function whenBack<T>(
  { clock, ending }: Tools,
  { log }: OperationContext,
  work: () => Promise<T>,
): Promise<T> {
  let failures = 0;
  for (const wait of backoff(100, 2_000)) {
    try {
      return await work();
    } catch (error) {
      ending.throwIfAborted();
      if (TremplinError.from(error).code !== "unavailable" && ++failures === TRIES) throw error;
      log.info({ error }, "what was left half done cannot be put right yet");
      await clock.sleep(wait, ending);
    }
  }
  throw new Error("unreachable: the waits never end");
}
