import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import {
  chainsOf,
  childrenOf,
  execute,
  interfacesLike,
  loopDevicesOf,
  mountsUnder,
  type Process,
  portsOf,
  processesWith,
} from "./system-state.ts";

/** What one daemon of a test had. Everything that names the folder in its paths is the test's own. */
export interface DaemonResources {
  readonly folder: string;
  readonly bridge?: string;
}

/**
 * Takes down whatever a daemon, its engine and its containers may have left, in any state of any of them, and
 * removes the folder. Nobody needs to be alive for it. Throws with what would not go.
 */
export async function cleanUp({ folder, bridge }: DaemonResources): Promise<void> {
  const bridges = bridge ? [bridge, secondBridge(bridge)] : [];
  // Read before: a container that is killed without its engine can lose its bridge, and then outlives that.
  const ports = new Set((await Promise.all(bridges.map(portsOf))).flat());
  await endProcesses(folder);
  for (const path of await mountsUnder(folder)) {
    await remove(path, ["umount", "--lazy", path], () => mountsUnder(folder));
  }
  for (const device of await loopDevicesOf(folder)) {
    await remove(device, ["losetup", "--detach", device], () => loopDevicesOf(folder));
  }
  for (const name of bridges) await removeBridge(name);
  for (const name of ports) await removeInterface(name);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** What a test may call one more bridge of an engine. */
export function secondBridge(bridge: string): string {
  return `${bridge}b`;
}

async function removeInterface(name: string): Promise<void> {
  await remove(name, ["ip", "link", "delete", name], () => interfacesLike(name));
}

/** Runs a command that removes what has the name. What the kernel removed by itself meanwhile is no failure. */
async function remove(
  name: string,
  [command = "", ...args]: readonly string[],
  left: () => Promise<readonly string[]>,
): Promise<void> {
  try {
    await execute(command, args);
  } catch (error) {
    if ((await left()).includes(name)) throw error;
  }
}

async function removeBridge(bridge: string): Promise<void> {
  const own = (await interfacesLike(bridge)).filter((name) => name === bridge);
  // What a container that failed to start leaves plugged in would outlive the bridge.
  for (const name of [...(await portsOf(bridge)), ...own]) await removeInterface(name);
  for (const { family, table, name } of await chainsOf(bridge)) {
    if (!name.endsWith(`.${bridge}`)) continue;
    const left = async () => (await chainsOf(bridge)).map((chain) => chain.name);
    await remove(name, ["nft", "delete", "chain", family, table, name], left);
  }
}

/** First all but the containers' monitors, so that nothing starts a container again; then the containers. */
async function endProcesses(folder: string): Promise<void> {
  const engine = async (): Promise<Process[]> =>
    (await processesWith(folder)).filter((each) => !isMonitor(each));
  const monitors = async (): Promise<Process[]> => (await processesWith(folder)).filter(isMonitor);
  await endAll(engine);
  // A monitor ends by itself when its container has, and takes the control groups with it.
  await endAll(monitors, async ({ pid }) => await childrenOf(pid)).catch(() => endAll(monitors));
}

function isMonitor({ command }: Process): boolean {
  return command.startsWith("[lxc monitor]");
}

/** Kills the processes until none is found any more. Throws when one is left after 10 s. */
async function endAll(
  find: () => Promise<Process[]>,
  victims: (each: Process) => Promise<number[]> | number[] = ({ pid }) => [pid],
): Promise<void> {
  for (const limit = Date.now() + 10_000; ; await delay(20)) {
    const found = await find();
    if (found.length === 0) return;
    if (Date.now() > limit) {
      throw new Error(`would not end: ${found.map(({ pid, command }) => `${pid} ${command}`).join(", ")}`);
    }
    for (const pid of (await Promise.all(found.map(victims))).flat()) kill(pid);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
