import { backoff } from "../../../base/async/backoff.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import type { OperationDeps } from "../operation-deps.ts";

const FIRST_RETRY = 250;
const LAST_RETRY = 5_000;

/**
 * Does on the engine what must be done and can be repeated: again and again while the engine is away and comes back.
 * Throws `unavailable` once it will not. `waiting` is told before each wait why it is one.
 */
export async function retryWhileEngineUnavailable<T>(
  tools: Pick<OperationDeps, "engine" | "clock" | "supervisor">,
  ending: AbortSignal,
  act: (engine: Engine) => Promise<T>,
  waiting: (reason: string) => unknown = () => undefined,
): Promise<T> {
  for (const wait of backoff(FIRST_RETRY, LAST_RETRY)) {
    try {
      return await act(tools.engine());
    } catch (thrown) {
      ending.throwIfAborted();
      const { code, message } = TremplinError.from(thrown);
      if (code !== "unavailable") throw thrown;
      await waiting(message);
      await tools.clock.sleep(wait, ending);
      if (!(await tools.supervisor.answers(ending))) throw thrown;
    }
  }
  throw new TremplinError("failed", "the engine did not return");
}
