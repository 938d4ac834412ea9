import type { Logger } from "../../base/logger.ts";
import { TremplinError } from "../../base/tremplin-error.ts";
import type { Engine } from "../../engine/engine.ts";
import { type Instance, instanceStatus } from "../../engine/resources/instance.ts";
import { forceStop } from "./delete-container.ts";

interface Options {
  /** Seconds that it has to shut down before it is killed; 0 to kill it at once. */
  readonly grace: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Asks a container to shut down, and kills it when it has not done so in time, or does not run. */
export async function shutDown(
  engine: Engine,
  { name, status_code }: Instance,
  { grace, signal, log }: Options,
): Promise<void> {
  if (status_code === instanceStatus.running && grace > 0) {
    try {
      const change = { action: "stop", timeout: grace } as const;
      await (await engine.instances.setState(name, change, { signal })).wait({ signal });
    } catch (error) {
      signal.throwIfAborted();
      const reason = TremplinError.from(error).message;
      log.info({ reason }, "the container does not shut down: killing it");
    }
  }
  await forceStop(engine, name, signal);
}
