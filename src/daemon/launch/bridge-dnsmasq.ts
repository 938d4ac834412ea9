import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The process that answers names and gives out addresses on an engine's bridge; undefined if none runs. */
export async function findDnsmasq(engineFolder: string, bridge: string): Promise<number | undefined> {
  const folder = join(engineFolder, "networks", bridge);
  const text = await readFile(join(folder, "dnsmasq.pid"), "utf8").catch(() => "");
  const pid = /^(?:pid: )?(\d+)/m.exec(text)?.[1];
  if (!pid) return undefined;
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return command.includes(folder) ? Number(pid) : undefined;
}

/**
 * Makes it forget the names that it keeps. That its upstream changed it notices by itself, at once, but it goes
 * on to answer from what it kept: for an hour what the old one said, and also that there is no such name.
 */
export async function forgetNames(engineFolder: string, bridge: string): Promise<void> {
  const pid = await findDnsmasq(engineFolder, bridge);
  if (pid !== undefined) process.kill(pid, "SIGHUP");
}
