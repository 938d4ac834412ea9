import { isUnavailable } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { ifMissing } from "../../engine/http/if-missing.ts";
import type { EngineOperation } from "../../engine/operations/engine-operation.ts";

/**
 * Waits until no operation of the engine changes a container any more: a daemon or an engine that died may have begun
 * one. The state of the container shows how it ended. Operations that only read the container (an open terminal, a backup of
 * a user's) are not waited for.
 */
export async function waitForPendingOperations(
  engine: Engine,
  container: string,
  signal?: AbortSignal,
): Promise<void> {
  for (const operation of await engine.operations.changing(container, { signal })) {
    await waitForEnd(operation, signal);
  }
}

/** Like `waitForPendingOperations`, for a temporary container: cancels what it can, since nobody needs the outcome. */
export async function cancelPendingOperations(
  engine: Engine,
  container: string,
  signal?: AbortSignal,
): Promise<void> {
  for (const operation of await engine.operations.changing(container, { signal })) {
    if (operation.latest.may_cancel) await operation.cancel({ signal }).catch(ifMissing);
    await waitForEnd(operation, signal);
  }
}

async function waitForEnd(operation: EngineOperation, signal: AbortSignal | undefined): Promise<void> {
  await operation.wait({ signal }).catch((error) => {
    signal?.throwIfAborted();
    if (isUnavailable(error)) throw error;
  });
}
