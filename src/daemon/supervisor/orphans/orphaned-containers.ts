import type { Clock } from "../../../base/async/clock.ts";
import { textIfReadable } from "../../../base/files/files.ts";
import type { Logger } from "../../../base/logger.ts";
import { processIds } from "../../../base/processes/process-info.ts";
import { sendSignal, waitForExit } from "../../../base/processes/wait-for-exit.ts";
import { flavors } from "../../../engine/flavors/flavors.ts";

/** How long containers may take to shut down before they are killed. */
const STOP_TIMEOUT_MS = 10_000;

interface Monitor {
  readonly pid: number;
  readonly container: string;
}

/**
 * Stops the containers of an engine that is gone: asks the first process of each to shut down, as an engine does, and
 * kills those that still run after 10 s. Their monitors end with them.
 */
export async function stopContainers(engineFolder: string, clock: Clock, log: Logger): Promise<void> {
  const monitors = await findMonitors(engineFolder);
  if (monitors.length === 0) return;
  log.info({ containers: monitors.map(({ container }) => container) }, "stopping orphaned containers");
  for (const signal of ["SIGPWR", "SIGKILL"] as const) {
    for (const { pid } of monitors) for (const init of await childrenOf(pid)) sendSignal(init, signal);
    const pids = monitors.map(({ pid }) => pid);
    if (await waitForExit(pids, { clock, timeoutMs: STOP_TIMEOUT_MS })) return;
  }
  // A monitor whose container is gone can hang on notifying the engine.
  for (const { pid } of monitors) sendSignal(pid, "SIGKILL");
}

/** Whether a container of the engine of that folder runs, whether the engine runs or not. */
export async function containersRun(engineFolder: string): Promise<boolean> {
  return (await findMonitors(engineFolder)).length > 0;
}

/** The processes that monitor the running containers. Their titles contain the engine's folder and the container. */
async function findMonitors(engineFolder: string): Promise<Monitor[]> {
  const titles = flavors.map(({ processes }) => processes.monitorTitle(engineFolder));
  const pids = await processIds();
  const found = pids.map(async (pid) => {
    const command = await textIfReadable(`/proc/${pid}/cmdline`);
    const start = titles.find((title) => command.startsWith(title));
    if (start === undefined) return [];
    return [{ pid, container: command.slice(start.length).replace(/\0.*$/s, "") }];
  });
  return (await Promise.all(found)).flat();
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await textIfReadable(`/proc/${pid}/task/${pid}/children`);
  return text.split(" ").filter(Boolean).map(Number);
}
