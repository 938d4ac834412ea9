import { backoff } from "../../../base/async/backoff.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { OperationDeps } from "../operation-deps.ts";

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;

/**
 * Calls `act`, which must be safe to repeat, until the engine has answered it. Throws `unavailable` once the engine will
 * not return. Calls `onWait` with the reason before each retry.
 */
export async function retryWhileEngineUnavailable<T>(
  deps: Pick<OperationDeps, "engine" | "clock" | "supervisor">,
  shutdownSignal: AbortSignal,
  act: (engine: Engine) => Promise<T>,
  onWait: (reason: string) => unknown = () => undefined,
): Promise<T> {
  for (const wait of backoff(FIRST_RETRY_MS, LAST_RETRY_MS)) {
    try {
      return await act(deps.engine());
    } catch (thrown) {
      shutdownSignal.throwIfAborted();
      const { code, message } = TremplinError.from(thrown);
      if (code !== "unavailable") throw thrown;
      await onWait(message);
      await deps.clock.sleep(wait, shutdownSignal);
      if (!(await deps.supervisor.answers(shutdownSignal))) throw thrown;
    }
  }
  throw new TremplinError("failed", "the engine did not return");
}
