import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import type { EngineOperation } from "../../engine/operations/engine-operation.ts";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { forceStop } from "./delete-container.ts";

interface Options {
  /** Seconds that it has to shut down before it is killed; 0 to kill it at once. */
  readonly grace: number;
  /** Called once the engine is stopping it, or has stopped it; where it was stopped already, too. */
  readonly onStopping?: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Asks a container to shut down, and kills it when it has not done so in time, or does not run. */
export async function shutDown(
  engine: Engine,
  { name, status_code }: Instance,
  { grace, onStopping, signal, log }: Options,
): Promise<void> {
  const isAsked = status_code === instanceStatus.running && grace > 0;
  const refused = (error: unknown): void => {
    signal.throwIfAborted();
    const reason = TremplinError.from(error).message;
    log.info({ reason }, "the container does not shut down: killing it");
  };
  const stopping = isAsked ? await askToStop(engine, name, { grace, signal }).catch(refused) : undefined;
  if (stopping) await onStopping?.();
  await stopping?.wait({ signal }).catch(refused);
  await forceStop(engine, name, signal);
  if (!stopping) await onStopping?.();
}

async function askToStop(
  engine: Engine,
  name: string,
  { grace, signal }: Pick<Options, "grace" | "signal">,
): Promise<EngineOperation> {
  return await engine.instances.setState(name, { action: "stop", timeout: grace }, { signal });
}
