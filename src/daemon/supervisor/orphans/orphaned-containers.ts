import { readFile } from "node:fs/promises";
import type { Clock } from "../../../base/async/clock.ts";
import type { Logger } from "../../../base/logger.ts";
import { processIds } from "../../../base/processes/process-ids.ts";
import { flavors } from "../../../engine/flavors/flavors.ts";
import { isAlive } from "./orphaned-engine.ts";

/** How long containers may take to shut down before they are killed. Milliseconds. */
const STOP_TIMEOUT_MS = 10_000;
const POLL_INTERVAL_MS = 50;

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
    for (const { pid } of monitors) for (const init of await childrenOf(pid)) kill(init, signal);
    for (let waited = 0; waited < STOP_TIMEOUT_MS; waited += POLL_INTERVAL_MS) {
      if (!monitors.some(({ pid }) => isAlive(pid))) return;
      await clock.sleep(POLL_INTERVAL_MS);
    }
  }
  // A monitor whose container is gone can hang on notifying the engine.
  for (const { pid } of monitors) kill(pid, "SIGKILL");
}

/** Whether a container of the engine of that folder runs, whether the engine runs or not. */
export async function containersRun(engineFolder: string): Promise<boolean> {
  return (await findMonitors(engineFolder)).length > 0;
}

/** The process that monitors each container that runs, by its title: it names the engine's folder and the container. */
async function findMonitors(engineFolder: string): Promise<Monitor[]> {
  const titles = flavors.map(({ processes }) => processes.monitorTitle(engineFolder));
  const pids = await processIds();
  const found = pids.map(async (pid) => {
    const command = await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "");
    const start = titles.find((title) => command.startsWith(title));
    if (start === undefined) return [];
    return [{ pid, container: command.slice(start.length).replace(/\0.*$/s, "") }];
  });
  return (await Promise.all(found)).flat();
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  return text.split(" ").filter(Boolean).map(Number);
}

function kill(pid: number, signal: NodeJS.Signals): void {
  if (isAlive(pid)) process.kill(pid, signal);
}
