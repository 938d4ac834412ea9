import { hasEnded, ProcFolder, readProcFile } from "../../../base/proc/proc-file.ts";
import { parseProcessStat } from "../../../base/processes/process-info.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";

/** How often the engine is asked again when the process that it named is younger than the request. */
const MAX_TRIES = 5;

/**
 * Opens the /proc folder of a running container's first process; undefined if the container does not run. The
 * number in the engine's answer may belong to another process by the time it arrives: only a process older than
 * the request is the right one. Throws the engine's errors.
 */
export async function findInitProcess(
  engine: Engine,
  container: string,
  signal: AbortSignal,
): Promise<ProcFolder | undefined> {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const asked = ticksSinceBoot();
    const state = await engine.instances.state(container, { signal }).catch(ifMissing);
    if (!state || state.pid <= 0) return undefined;
    const init = openIfOlder(state.pid, asked);
    if (init) return init;
  }
  throw new TremplinError(
    "failed",
    `the first process of ${container} was replaced ${MAX_TRIES} times while its listening ports were looked up`,
  );
}

/** The folder of a process that started before a time; undefined if there is none. */
function openIfOlder(pid: number, ticks: number): ProcFolder | undefined {
  let folder: ProcFolder | undefined;
  try {
    folder = new ProcFolder(`/proc/${pid}`);
    const stat = parseProcessStat(readProcFile(folder.path("stat")));
    if (stat && Number(stat.startTime) < ticks) return folder;
  } catch (error) {
    if (!hasEnded(error)) throw error;
  }
  folder?.[Symbol.dispose]();
  return undefined;
}

/** The time since boot in the unit of /proc/PID/stat: hundredths of a second. */
function ticksSinceBoot(): number {
  return Math.round(Number.parseFloat(readProcFile("/proc/uptime")) * 100);
}
