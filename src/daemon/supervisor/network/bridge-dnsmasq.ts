import { readdir, readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Clock } from "../../../base/async/clock.ts";
import { processIds } from "../../../base/processes/process-ids.ts";
import { networksFolders } from "../../../engine/storage/local-paths.ts";
import { stopProcesses } from "../orphans/orphaned-engine.ts";

/** The process that answers names and gives out addresses on an engine's bridge; undefined if none runs. */
export async function findDnsmasq(engineFolder: string, bridge: string): Promise<number | undefined> {
  for (const folder of networksFolders(engineFolder).map((networks) => join(networks, bridge))) {
    const text = await readFile(join(folder, "dnsmasq.pid"), "utf8").catch(() => "");
    const pid = /^(?:pid: )?(\d+)/m.exec(text)?.[1];
    const command = pid ? await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "") : "";
    if (command.includes(folder)) return Number(pid);
  }
  return undefined;
}

/**
 * Makes it forget the names that it keeps. That its upstream changed it notices by itself, at once, but it goes
 * on to answer from what it kept: for an hour what the old one said, and also that there is no such name.
 */
export async function forgetNames(engineFolder: string, bridge: string): Promise<void> {
  const pid = await findDnsmasq(engineFolder, bridge);
  if (pid !== undefined) process.kill(pid, "SIGHUP");
}

/**
 * Ends what an engine that died left answering on its bridges, and forgets its process ids. The next engine would do
 * that too, but not where the first died before it had written down an id, or in the middle of that: then the
 * network would not come up.
 */
export async function stopOrphanedDnsmasq(engineFolder: string, clock: Clock): Promise<void> {
  const pids = await processIds();
  const serving = await Promise.all(pids.map((pid) => isDnsmasqOf(pid, engineFolder)));
  await stopProcesses(
    pids.filter((_pid, index) => serving[index]),
    clock,
  );
  for (const networks of networksFolders(engineFolder)) {
    const names = await readdir(networks).catch(() => []);
    await Promise.all(names.map((name) => rm(join(networks, name, "dnsmasq.pid"), { force: true })));
  }
}

async function isDnsmasqOf(pid: number, engineFolder: string): Promise<boolean> {
  const [program = "", ...words] = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split(
    "\0",
  );
  const folders = networksFolders(engineFolder);
  const isIts = (word: string) => folders.some((folder) => word.includes(`=${folder}/`));
  return basename(program) === "dnsmasq" && words.some(isIts);
}
