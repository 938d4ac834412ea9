import type { Engine } from "../../engine/engine.ts";

/** All files of the checks before an upgrade are here, in the container. Only its root can write to the parent. */
export const SIMULATION_FOLDER = "/var/lib/tremplin-upgrade";
const REMOVAL_TIMEOUT_MS = 10_000;

/** Removes the files of a simulation, if possible; also those of one that was cancelled or died with its daemon. */
export async function removeSimulation(engine: Engine, container: string): Promise<void> {
  const signal = AbortSignal.timeout(REMOVAL_TIMEOUT_MS);
  await engine
    .execCapture(container, ["rm", "-rf", "--", SIMULATION_FOLDER], { signal })
    .catch(() => undefined);
}
