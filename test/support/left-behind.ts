import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { chainsOf, interfacesLike, loopDevicesOf, mountsUnder, processesWith } from "./system-state.ts";
import { bridgePrefix, folderPrefix } from "./test-run.ts";

/** What a run of the tests left on the machine, one line each: all of it bears the run's mark. */
export async function leftBehind(run: string): Promise<string[]> {
  const folder = folderPrefix(run);
  const bridge = bridgePrefix(run);
  const names = await readdir(dirname(folder));
  return [
    ...(await processesWith(folder)).map(({ pid, command }) => `process ${pid}: ${command}`),
    ...(await mountsUnder(folder)).map((path) => `mount ${path}`),
    ...(await loopDevicesOf(folder)).map((device) => `loop device ${device}`),
    ...(await interfacesLike(bridge)).map((name) => `interface ${name}`),
    ...(await chainsOf(bridge)).map(({ family, table, name }) => `firewall chain ${family} ${table} ${name}`),
    ...names
      .filter((name) => name.startsWith(basename(folder)))
      .map((name) => `folder ${join(dirname(folder), name)}`),
  ];
}
