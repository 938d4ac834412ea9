import { readFile } from "node:fs/promises";
import type { Clock } from "../../../base/async/clock.ts";
import { processIds } from "../../../base/processes/process-ids.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { flavorOf } from "../../../engine/flavors/flavors.ts";
import type { EngineProgram } from "../process/engine-program.ts";

const STOP_TIMEOUT_MS = 5_000;
const POLL_INTERVAL_MS = 50;

/**
 * The process ids of engine daemons that serve this very folder. Helpers that the engine runs from the same
 * executable (forkproxy, forkdns, the monitors of containers) have a command, not an option, as first argument.
 */
export async function findEngineProcesses(program: EngineProgram, folder: string): Promise<number[]> {
  const pids = await processIds();
  const serving = await Promise.all(pids.map((pid) => serves(pid, program, folder)));
  return pids.filter((_pid, index) => serving[index]);
}

/** Ends engine daemons; their containers go on. Throws `failed` when one survives SIGKILL. */
export async function stopEngineProcesses(pids: readonly number[], clock: Clock): Promise<void> {
  if (await stopProcesses(pids, clock)) return;
  throw new TremplinError(
    "failed",
    `an orphaned engine does not end, not even by SIGKILL: process ${pids.filter(isAlive).join(", ")}; restart the machine`,
  );
}

/** Ends processes: SIGTERM, after 5 s SIGKILL. False when one still runs 5 s later. */
export async function stopProcesses(pids: readonly number[], clock: Clock): Promise<boolean> {
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const pid of pids) sendSignal(pid, signal);
    if (await allGone(pids, clock)) return true;
  }
  return false;
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function allGone(pids: readonly number[], clock: Clock): Promise<boolean> {
  for (let waited = 0; waited < STOP_TIMEOUT_MS; waited += POLL_INTERVAL_MS) {
    if (!pids.some(isAlive)) return true;
    await clock.sleep(POLL_INTERVAL_MS);
  }
  return false;
}

async function serves(pid: number, { kind }: EngineProgram, folder: string): Promise<boolean> {
  const { name, folderVariable } = flavorOf(kind).program;
  try {
    const [executable, firstArgument] = (await readFile(`/proc/${pid}/cmdline`, "latin1")).split("\0");
    if (!executable?.endsWith(`/${name}`)) return false;
    if (firstArgument && !firstArgument.startsWith("--")) return false;
    const environment = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
    return environment.includes(`${folderVariable}=${folder}`);
  } catch {
    // It ended meanwhile.
    return false;
  }
}
