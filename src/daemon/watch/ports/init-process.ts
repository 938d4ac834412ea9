import { TremplinError } from "../../../base/tremplin-error.ts";
import type { Engine } from "../../../engine/engine.ts";
import { ifMissing } from "../../../engine/http/if-missing.ts";
import { hasEnded, ProcFolder, readProcFile } from "./proc-file.ts";

/** How often the engine is asked again when the process that it named is younger than the question. */
const TRIES = 5;

/**
 * The folder of a running container's first process below /proc; undefined for a container that does not run.
 * The number that the engine gives may be another process's by the time it arrives: only a process older than
 * the question can be the one that is meant. Throws what the engine throws.
 */
export async function findInitProcess(
  engine: Engine,
  container: string,
  signal: AbortSignal,
): Promise<ProcFolder | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    const asked = ticksSinceBoot();
    const state = await engine.instances.state(container, { signal }).catch(ifMissing);
    if (!state || state.pid <= 0) return undefined;
    const init = openIfOlder(state.pid, asked);
    if (init) return init;
  }
  throw new TremplinError("failed", `the first process of ${container} changes too often to be looked at`);
}

/** The folder of a process that began before that time; undefined if there is none. */
function openIfOlder(pid: number, ticks: number): ProcFolder | undefined {
  let folder: ProcFolder | undefined;
  try {
    folder = new ProcFolder(`/proc/${pid}`);
    if (startOf(readProcFile(folder.path("stat"))) < ticks) return folder;
  } catch (error) {
    if (!hasEnded(error)) throw error;
  }
  folder?.[Symbol.dispose]();
  return undefined;
}

/** When a process began, by its file `stat`: the 22nd field. The second is a name in brackets, in which anything may stand. */
function startOf(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
}

/** The clock of the times in /proc/PID/stat: hundredths of a second. */
function ticksSinceBoot(): number {
  return Math.round(Number.parseFloat(readProcFile("/proc/uptime")) * 100);
}
