import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Clock } from "../../../base/async/clock.ts";
import { textIfReadable } from "../../../base/files/files.ts";
import { processIds } from "../../../base/processes/process-info.ts";
import { stopProcesses } from "../../../base/processes/wait-for-exit.ts";
import { networksFolders } from "../../../engine/storage/local-paths.ts";

/** The process id of the DNS and DHCP server on an engine's bridge; undefined if none runs. */
export async function findDnsmasq(engineFolder: string, bridge: string): Promise<number | undefined> {
  for (const folder of networksFolders(engineFolder).map((networks) => join(networks, bridge))) {
    const text = await textIfReadable(join(folder, "dnsmasq.pid"));
    const pid = /^(?:pid: )?(\d+)/m.exec(text)?.[1];
    const command = pid ? await textIfReadable(`/proc/${pid}/cmdline`) : "";
    if (command.includes(folder)) return Number(pid);
  }
  return undefined;
}

/**
 * Clears the DNS cache of dnsmasq. It notices a changed upstream server by itself, but answers from its cache for up
 * to an hour, negative answers included.
 */
export async function forgetNames(engineFolder: string, bridge: string): Promise<void> {
  const pid = await findDnsmasq(engineFolder, bridge);
  if (pid !== undefined) process.kill(pid, "SIGHUP");
}

/**
 * Ends the dnsmasq processes of an engine that died, and removes the files with their process ids. The next engine does
 * that too, but not where the first one died before it had written the whole file: then the network does not come up.
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
  const [program = "", ...words] = (await textIfReadable(`/proc/${pid}/cmdline`)).split("\0");
  const folders = networksFolders(engineFolder);
  const isIts = (word: string) => folders.some((folder) => word.includes(`=${folder}/`));
  return basename(program) === "dnsmasq" && words.some(isIts);
}
