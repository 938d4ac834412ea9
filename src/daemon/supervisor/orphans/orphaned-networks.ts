import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../../base/async/clock.ts";
import { canAccess, textIfReadable } from "../../../base/files/files.ts";
import type { Logger } from "../../../base/logger.ts";
import { runProgram } from "../../../base/processes/run-program.ts";
import { sendSignal, waitForExit } from "../../../base/processes/wait-for-exit.ts";
import { liblxcConfigFolders, networksOnDisk } from "../../../engine/storage/local-paths.ts";
import { findDnsmasq } from "../network/bridge-dnsmasq.ts";
import { interfaceIndex, isEnginesBridge } from "../network/bridge-ownership.ts";

const STOP_TIMEOUT_MS = 5_000;

/**
 * Removes the bridges of an engine that is gone, as it would have done itself: an engine with a new database creates
 * them again, and refuses where an interface of that name exists. A bridge of the same name that something else made
 * stays, and so do foreign interfaces in a bridge that is removed.
 */
export async function removeNetworks(engineFolder: string, clock: Clock, log: Logger): Promise<void> {
  for (const name of await networksOnDisk(engineFolder)) {
    // Asked before dnsmasq ends, which may be the only evidence.
    const isOurs = await isEnginesBridge(engineFolder, name, log);
    const dnsmasq = await findDnsmasq(engineFolder, name);
    if (dnsmasq !== undefined) await end(dnsmasq, clock);
    if (!(await canAccess(`/sys/class/net/${name}/bridge`))) continue;
    if (!isOurs) {
      log.warn(
        { interface: name },
        "a bridge that the engine did not make has the name of one of its networks; it stays",
      );
      continue;
    }
    for (const port of await portsOfContainers(engineFolder, name)) {
      await runProgram("ip", ["link", "delete", "dev", port]);
    }
    await runProgram("ip", ["link", "delete", "dev", name]);
  }
}

/**
 * The interfaces of the bridge that connect containers. A container that ended without its engine leaves both ends of
 * its veth pair on this machine (liblxc returns the container's end under the name in lxc.conf), and they would outlive
 * the bridge.
 */
async function portsOfContainers(engineFolder: string, bridge: string): Promise<string[]> {
  const text = await runProgram("ip", ["-json", "link", "show", "master", bridge, "type", "veth"]);
  const ports = JSON.parse(text || "[]") as { ifname?: string }[];
  const ends = await endsOfContainers(engineFolder);
  const indexes = new Set<string | undefined>();
  for (const name of ends) indexes.add(await interfaceIndex(name));
  const ofContainers: string[] = [];
  for (const { ifname } of ports) {
    if (ifname === undefined) continue;
    const peer = await textIfReadable(`/sys/class/net/${ifname}/iflink`);
    if (indexes.has(peer.trim())) ofContainers.push(ifname);
  }
  return ofContainers;
}

/** The names that the containers' ends of veth pairs have while they are on this machine. */
async function endsOfContainers(engineFolder: string): Promise<string[]> {
  const texts = liblxcConfigFolders(engineFolder).map(async (folder) => {
    const names = await readdir(folder).catch((): string[] => []);
    return names.map((name) => textIfReadable(join(folder, name, "lxc.conf")));
  });
  const all = (await Promise.all(texts)).flat();
  return (await Promise.all(all)).flatMap((text) =>
    [...text.matchAll(/^lxc\.net\.\d+\.link = (\S+)$/gm)].flatMap(([, name]) => name ?? []),
  );
}

async function end(pid: number, clock: Clock): Promise<void> {
  sendSignal(pid, "SIGTERM");
  await waitForExit([pid], { clock, timeoutMs: STOP_TIMEOUT_MS });
}
