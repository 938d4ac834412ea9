import { readFile } from "node:fs/promises";
import type { Clock } from "../../../base/async/clock.ts";
import { isRunning } from "../../../base/processes/process-identity.ts";
import { commandLine, processIds } from "../../../base/processes/process-info.ts";
import { stopProcesses } from "../../../base/processes/wait-for-exit.ts";
import { TremplinError } from "../../../base/tremplin-error.ts";
import { flavorOf } from "../../../engine/flavors/flavors.ts";
import type { EngineProgram } from "../process/engine-program.ts";

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
    `an orphaned engine survives SIGKILL: process ${pids.filter(isRunning).join(", ")}; restart the machine`,
  );
}

async function serves(pid: number, { kind }: EngineProgram, folder: string): Promise<boolean> {
  const { name, folderVariable } = flavorOf(kind).program;
  try {
    const [executable, firstArgument] = await commandLine(pid);
    if (!executable?.endsWith(`/${name}`)) return false;
    if (firstArgument && !firstArgument.startsWith("--")) return false;
    const environment = (await readFile(`/proc/${pid}/environ`, "utf8")).split("\0");
    return environment.includes(`${folderVariable}=${folder}`);
  } catch {
    // It ended meanwhile.
    return false;
  }
}
