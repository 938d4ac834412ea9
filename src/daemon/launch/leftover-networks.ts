import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { canAccess } from "../../base/can-access.ts";
import type { Clock } from "../../base/clock.ts";
import { findDnsmasq } from "./bridge-dnsmasq.ts";
import { isAlive } from "./leftover-engine.ts";

const execute = promisify(execFile);
const PATIENCE = 5_000;
const POLL = 50;

/**
 * Takes down the bridges of an engine that is gone, as it would have done itself: an engine with a new database
 * makes them again, and refuses to where there is an interface of that name. A bridge is the engine's when its
 * dnsmasq runs, or has run, out of the engine's folder.
 */
export async function removeNetworks(engineFolder: string, clock: Clock): Promise<void> {
  const names = await readdir(join(engineFolder, "networks")).catch(() => []);
  for (const name of names) {
    const dnsmasq = await findDnsmasq(engineFolder, name);
    if (dnsmasq !== undefined) await end(dnsmasq, clock);
    if (!(await canAccess(`/sys/class/net/${name}/bridge`))) continue;
    for (const port of await cablesIn(name)) await execute("ip", ["link", "delete", "dev", port]);
    await execute("ip", ["link", "delete", "dev", name]);
  }
}

/**
 * What containers were plugged in by. One that ended without its engine leaves its own end on this machine (liblxc
 * gives it back), and both would outlive the bridge.
 */
async function cablesIn(bridge: string): Promise<string[]> {
  const { stdout } = await execute("ip", ["-json", "link", "show", "master", bridge, "type", "veth"]);
  return (JSON.parse(stdout || "[]") as { ifname?: string }[]).flatMap(({ ifname }) => ifname ?? []);
}

async function end(pid: number, clock: Clock): Promise<void> {
  process.kill(pid, "SIGTERM");
  for (let waited = 0; waited < PATIENCE && isAlive(pid); waited += POLL) await clock.sleep(POLL);
}
