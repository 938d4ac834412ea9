import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Clock } from "../../../base/async/clock.ts";
import { canAccess } from "../../../base/files/can-access.ts";
import type { Logger } from "../../../base/logger.ts";
import { liblxcConfigFolders, networksOnDisk } from "../../../engine/storage/local-paths.ts";
import { findDnsmasq } from "../network/bridge-dnsmasq.ts";
import { interfaceIndex, isEnginesBridge } from "../network/bridge-ownership.ts";
import { isAlive } from "./orphaned-engine.ts";

const execute = promisify(execFile);
const PATIENCE = 5_000;
const POLL = 50;

/**
 * Takes down the bridges of an engine that is gone, as it would have done itself: an engine with a new database
 * makes them again, and refuses to where there is an interface of that name. A bridge of the same name that
 * somebody else made stays, and so does what others plugged into one that goes.
 */
export async function removeNetworks(engineFolder: string, clock: Clock, log: Logger): Promise<void> {
  for (const name of await networksOnDisk(engineFolder)) {
    // Asked before dnsmasq ends, which may be all that tells.
    const isOurs = await isEnginesBridge(engineFolder, name);
    const dnsmasq = await findDnsmasq(engineFolder, name);
    if (dnsmasq !== undefined) await end(dnsmasq, clock);
    if (!(await canAccess(`/sys/class/net/${name}/bridge`))) continue;
    if (!isOurs) {
      log.warn(
        { interface: name },
        "a bridge that the engine did not make has the name of one of its networks",
      );
      continue;
    }
    for (const port of await portsOfContainers(engineFolder, name)) {
      await execute("ip", ["link", "delete", "dev", port]);
    }
    await execute("ip", ["link", "delete", "dev", name]);
  }
}

/**
 * What containers were plugged in by. One that ended without its engine leaves its own end on this machine (liblxc
 * gives it back under the name that the engine wrote into its lxc.conf), and both would outlive the bridge.
 */
async function portsOfContainers(engineFolder: string, bridge: string): Promise<string[]> {
  const { stdout } = await execute("ip", ["-json", "link", "show", "master", bridge, "type", "veth"]);
  const ports = JSON.parse(stdout || "[]") as { ifname?: string }[];
  const ends = await endsOfContainers(engineFolder);
  const indexes = new Set<string | undefined>();
  for (const name of ends) indexes.add(await interfaceIndex(name));
  const ofContainers: string[] = [];
  for (const { ifname } of ports) {
    if (ifname === undefined) continue;
    const peer = await readFile(`/sys/class/net/${ifname}/iflink`, "utf8").catch(() => "");
    if (indexes.has(peer.trim())) ofContainers.push(ifname);
  }
  return ofContainers;
}

/** The names of the containers' own ends while they are on this machine. */
async function endsOfContainers(engineFolder: string): Promise<string[]> {
  const texts = liblxcConfigFolders(engineFolder).map(async (folder) => {
    const names = await readdir(folder).catch((): string[] => []);
    return names.map((name) => readFile(join(folder, name, "lxc.conf"), "utf8").catch(() => ""));
  });
  const all = (await Promise.all(texts)).flat();
  return (await Promise.all(all)).flatMap((text) =>
    [...text.matchAll(/^lxc\.net\.\d+\.link = (\S+)$/gm)].flatMap(([, name]) => name ?? []),
  );
}

async function end(pid: number, clock: Clock): Promise<void> {
  process.kill(pid, "SIGTERM");
  for (let waited = 0; waited < PATIENCE && isAlive(pid); waited += POLL) await clock.sleep(POLL);
}
